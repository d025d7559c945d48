import { z } from "zod";
import { defineTeacherKind } from "./define.js";
import { tokenSignals } from "../signals.js";
import { distributionOptions } from "./signal-options.js";

/** Counts of a text. */
export const nGramTeacherKind = defineTeacherKind({
  type: "n-gram",
  summary: "An n-gram model counted from a text; its distribution is known exactly.",
  canGive: tokenSignals,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("n-gram"),
    path: z.string().min(1).describe("Text to count, UTF-8; read with the run's tokenizer."),
    separator: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Text between documents; each then has the tokenizer's start and end tokens. Default: one document without an end.",
      ),
    order: z
      .int()
      .min(1)
      .default(3)
      .describe("Tokens that a probability depends on, itself included: 2 is a bigram."),
    smoothing: z
      .discriminatedUnion("type", [
        z.strictObject({
          type: z.literal("add-k"),
          k: z.number().positive().default(0.1).describe("Added to every count."),
        }),
        z.strictObject({
          type: z.literal("interpolated"),
          lambda: z
            .number()
            .gt(0)
            .lt(1)
            .default(0.8)
            .describe("Share of each order; the shorter histories have the rest."),
        }),
      ])
      .prefault({ type: "interpolated" })
      .describe("How what was never counted gets probability."),
    ...distributionOptions,
  }),
});
