import { z } from "zod";

const productOf = (what: string) =>
  z
    .string()
    .regex(/^stage:./, 'write "stage:<name>"')
    .describe(what);

/**
 * A stage that chooses: among the products of earlier stages the one whose run, or another collect or run
 * that speaks for it, has most or least of a measure. Of equal ones the first.
 */
export const choiceSchema = z.strictObject({
  metric: z
    .string()
    .describe("A measure of summary.json, or of collect.json, such as heldOut.accuracy."),
  direction: z.enum(["highest", "lowest"]).default("highest").describe("Which value is best."),
  candidates: z
    .record(
      z.string(),
      z.strictObject({
        take: productOf("What later stages get if it is chosen."),
        score: productOf("The stage whose measure decides."),
      }),
    )
    .refine((all) => Object.keys(all).length > 1, "give at least two")
    .describe("By name; all make rows, or all make a model."),
});

export type ChoiceInput = z.input<typeof choiceSchema>;
export type Choice = z.output<typeof choiceSchema>;
