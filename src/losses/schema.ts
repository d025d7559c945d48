import { z } from "zod";
import { oneOf, PupilError } from "../errors/index.js";
import { type LossTerm, lossTerm } from "./combine.js";
import type { LossDefinition } from "./define.js";
import { lossDefinitions } from "./list.js";
import { weightField } from "./weight.js";

type TermSchema<N extends string, S extends z.ZodObject> = z.ZodObject<
  { type: z.ZodLiteral<N>; weight: typeof weightField } & S["shape"],
  z.core.$strict
>;
type TermSchemas<L> = {
  -readonly [K in keyof L]: L[K] extends {
    name: infer N extends string;
    config: infer S extends z.ZodObject;
  }
    ? TermSchema<N, S>
    : never;
};

/** One term in a config: `{ type, weight, …options of that loss }`; unknown keys are errors. */
export const lossTermSchema = z.discriminatedUnion(
  "type",
  lossDefinitions.map(({ name, config }) =>
    z.strictObject({ type: z.literal(name), weight: weightField, ...config.shape }),
  ) as unknown as TermSchemas<typeof lossDefinitions>,
);
export type LossTermConfig = z.output<typeof lossTermSchema>;

/** @throws PupilError that says which names there are */
export function findLoss(name: string): LossDefinition {
  const found: LossDefinition | undefined = lossDefinitions.find((loss) => loss.name === name);
  if (found === undefined) {
    throw new PupilError(`there is no loss "${name}".`, {
      field: "loss.type",
      value: name,
      remedy: oneOf(
        name,
        lossDefinitions.map((loss) => loss.name),
      ),
    });
  }
  return found;
}

/** The term that a config describes. */
export function lossTermFromConfig(config: LossTermConfig): LossTerm {
  const { type, weight, ...options } = config;
  return lossTerm(findLoss(type), options, weight);
}
