import { z } from "zod";
import { defineTeacherKind } from "./define.js";
import { tokenSignals } from "../signals.js";
import { distributionOptions } from "./signal-options.js";

/** A random hidden Markov model over the run's tokens. */
export const hiddenMarkovTeacherKind = defineTeacherKind({
  type: "hidden-markov",
  summary: "A random hidden Markov model; its distribution, which needs all of the past, is exact.",
  canGive: tokenSignals,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("hidden-markov"),
    states: z.int().min(1).default(8).describe("Hidden states."),
    seed: z.int().min(0).default(1).describe("Of the model; the run's seed has no part in it."),
    transitionSharpness: z
      .number()
      .min(0)
      .default(2)
      .describe("Spread of the log-weights of transitions: 0 is uniform, 5 nearly certain."),
    emissionSharpness: z
      .number()
      .min(0)
      .default(2)
      .describe("Spread of the log-weights of the tokens that a state emits."),
    ...distributionOptions,
  }),
});
