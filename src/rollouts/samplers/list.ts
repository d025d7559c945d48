import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { budgetedSampler } from "./budgeted.js";
import { diverseSampler } from "./diverse.js";
import { fromPrefixSampler } from "./from-prefix.js";
import { givenSampler } from "./given.js";
import { guidedContinueSampler } from "./guided-continue.js";
import { hintedSampler } from "./hinted.js";
import { injectSampler } from "./inject.js";
import { mixedSampler } from "./mixed.js";
import { oracleSampler } from "./oracle.js";
import { plainSampler } from "./plain.js";
import type { SamplerDefinition } from "./sampler.js";
import { takeoverSampler } from "./takeover.js";
import { teacherMixedSampler } from "./teacher-mixed.js";
import { toolLoopSampler } from "./tool-loop.js";

/** Every sampler that a config can name. A new one is one file and one line here. */
export const samplerDefinitions = [
  oracleSampler,
  givenSampler,
  plainSampler,
  diverseSampler,
  hintedSampler,
  mixedSampler,
  teacherMixedSampler,
  takeoverSampler,
  fromPrefixSampler,
  budgetedSampler,
  guidedContinueSampler,
  injectSampler,
  toolLoopSampler,
] as const;

type Definitions = (typeof samplerDefinitions)[number];
type Named<D> = D extends {
  readonly name: infer N extends string;
  readonly config: z.ZodObject<infer S>;
}
  ? z.ZodObject<S & { type: z.ZodLiteral<N> }, z.core.$strict>
  : never;

/** `{type: "plain", samplesPerProblem: 4, …}`: the options of one sampler, told apart by its name. */
export const samplerSchema = z.discriminatedUnion(
  "type",
  samplerDefinitions.map(({ name, summary, config }) =>
    (config as z.ZodObject).safeExtend({ type: z.literal(name) }).describe(summary),
  ) as unknown as [Named<Definitions>, ...Named<Definitions>[]],
);
export type SamplerConfig = z.output<typeof samplerSchema>;

/** The sampler with that name. */
export function findSampler(name: string): SamplerDefinition {
  const found = samplerDefinitions.find((definition) => definition.name === name);
  if (found !== undefined) return found as unknown as SamplerDefinition;
  throw new PupilError(`There is no sampler "${name}".`, {
    field: "sampler.type",
    value: name,
    remedy: oneOf(
      name,
      samplerDefinitions.map((definition) => definition.name),
    ),
  });
}
