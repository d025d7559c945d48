import { z } from "zod";
import { oneOf, PupilError } from "../errors/index.js";
import { type LossTerm, lossTerm, readsLayers, readsLists } from "./combine.js";
import type { LossDefinition } from "./define.js";
import type { LayerInput, LossInput } from "./inputs.js";
import { type LayerPair, layersField } from "./layers.js";
import { type ListScores, listScoresField } from "./list-scores.js";
import { lossDefinitions } from "./list.js";
import { weightField } from "./weight.js";

type LayerFields<I extends LossInput> = [Extract<I, LayerInput>] extends [never]
  ? unknown
  : { layers: typeof layersField };
type ListFields<I extends LossInput> = [Extract<I, "teacherScores">] extends [never]
  ? unknown
  : { scores: typeof listScoresField };
type TermSchema<N extends string, I extends LossInput, S extends z.ZodObject> = z.ZodObject<
  { type: z.ZodLiteral<N>; weight: typeof weightField } & LayerFields<I> &
    ListFields<I> &
    S["shape"],
  z.core.$strict
>;
type TermSchemas<L> = {
  -readonly [K in keyof L]: L[K] extends {
    name: infer N extends string;
    needs: readonly (infer I extends LossInput)[];
    config: infer S extends z.ZodObject;
  }
    ? TermSchema<N, I, S>
    : never;
};

const termSchemas = (definitions: readonly LossDefinition[]) =>
  definitions.map((definition) =>
    z.strictObject({
      type: z.literal(definition.name),
      weight: weightField,
      ...(readsLayers(definition) ? { layers: layersField } : {}),
      ...(readsLists(definition) ? { scores: listScoresField } : {}),
      ...definition.config.shape,
    }),
  );

/**
 * One term in a config: `{ type, weight, …options of that loss }`, with `layers` for losses on states
 * of layers and `scores` for losses on lists; unknown keys are errors.
 */
export const lossTermSchema = z.discriminatedUnion(
  "type",
  termSchemas(lossDefinitions) as unknown as TermSchemas<typeof lossDefinitions>,
);
export type LossTermConfig = z.output<typeof lossTermSchema>;

/**
 * The same where losses of the user's own can be named too. Typed as the built-in one, so that a
 * config has one type: nobody but {@link lossTermFromConfig} looks at a term's name.
 */
export function lossTermSchemaWith(own: readonly LossDefinition[]): typeof lossTermSchema {
  if (own.length === 0) return lossTermSchema;
  const options = [...termSchemas(lossDefinitions), ...termSchemas(own)];
  return z.discriminatedUnion("type", options as never) as unknown as typeof lossTermSchema;
}

/**
 * @param own definitions beside the built-in ones
 * @throws PupilError that says which names there are
 */
/** The loss of a name, among the built-in ones and `own`. @throws PupilError that names the nearest one */
export function findLoss(name: string, own: readonly LossDefinition[] = []): LossDefinition {
  const known: readonly LossDefinition[] = [...own, ...lossDefinitions];
  const found = known.find((loss) => loss.name === name);
  if (found === undefined) {
    throw new PupilError(`there is no loss "${name}".`, {
      field: "loss.type",
      value: name,
      remedy: oneOf(
        name,
        known.map((loss) => loss.name),
      ),
    });
  }
  return found;
}

/** The term that a config describes. */
export function lossTermFromConfig(
  config: LossTermConfig,
  own: readonly LossDefinition[] = [],
): LossTerm {
  const { type, weight, ...others } = config;
  const definition = findLoss(type, own);
  if (readsLists(definition)) {
    const { scores, ...options } = others as { scores?: ListScores };
    const term = lossTerm(definition, options, weight);
    return scores === undefined ? term : { ...term, scores };
  }
  if (!readsLayers(definition)) return lossTerm(definition, others, weight);
  const { layers, ...options } = others as { layers?: readonly LayerPair[] };
  return lossTerm(definition, options, weight, layers);
}
