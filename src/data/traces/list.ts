import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { filters } from "./filters/index.js";
import { pairMakers } from "./pairs/index.js";
import type { PairMaker, TraceStep } from "./trace.js";
import { transforms } from "./transforms/index.js";

/** Every filter and transform. A new one is one file and one line in the list of its room. */
export const traceSteps = [...filters, ...transforms] as const;

type Named<D> = D extends {
  readonly name: infer N extends string;
  readonly config: z.ZodObject<infer S>;
}
  ? z.ZodObject<S & { type: z.ZodLiteral<N> }, z.core.$strict>
  : never;

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly config: z.ZodObject;
}

/** `{type: "length-band", maximum: 40}`: the options of one of them, told apart by its name. */
function unionOf<D extends Described>(definitions: readonly D[]) {
  return z.discriminatedUnion(
    "type",
    definitions.map(({ name, summary, config }) =>
      config.safeExtend({ type: z.literal(name) }).describe(summary),
    ) as unknown as [Named<D>, ...Named<D>[]],
  );
}

export const traceStepSchema = unionOf<(typeof traceSteps)[number]>(traceSteps);
export type TraceStepConfig = z.output<typeof traceStepSchema>;

export const pairMakerSchema = unionOf<(typeof pairMakers)[number]>(pairMakers);
export type PairMakerConfig = z.output<typeof pairMakerSchema>;

/** The filter or transform with that name. */
export function findTraceStep(name: string): TraceStep {
  return find(traceSteps as unknown as readonly TraceStep[], name, "step on traces");
}

/** The maker of pairs with that name. */
export function findPairMaker(name: string): PairMaker {
  return find(pairMakers as unknown as readonly PairMaker[], name, "maker of pairs");
}

function find<D extends { readonly name: string }>(
  definitions: readonly D[],
  name: string,
  what: string,
): D {
  const found = definitions.find((definition) => definition.name === name);
  if (found !== undefined) return found;
  const names = definitions.map((definition) => definition.name);
  throw new PupilError(`There is no ${what} "${name}".`, {
    value: name,
    remedy: oneOf(name, names),
  });
}
