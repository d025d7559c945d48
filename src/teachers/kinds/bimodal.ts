import { z } from "zod";
import { defineTeacherKind } from "./define.js";
import { tokenSignals } from "../signals.js";
import { distributionOptions } from "./signal-options.js";

/** Two planted modes, to see what a loss does with them. */
export const bimodalTeacherKind = defineTeacherKind({
  type: "bimodal",
  summary: "Two planted modes on a ring of tokens: forward KL covers both, reverse KL seeks one.",
  canGive: tokenSignals,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("bimodal"),
    offsets: z
      .tuple([z.int(), z.int()])
      .describe("Steps on the ring of ids from the previous token to each mode."),
    weight: z.number().gt(0).lt(1).default(0.5).describe("Probability of the first mode."),
    width: z.number().positive().default(1).describe("Standard deviation of a mode, in ids."),
    ...distributionOptions,
  }),
});
