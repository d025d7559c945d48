import { z } from "zod";

const point = z.strictObject({
  arm: z.string().describe("An arm."),
  metric: z.string().describe("A measure of its runs."),
});

/** Measures that are computed from those of runs; the formulas are in src/statistics/derived.ts. */
export const derivedSchema = z
  .record(
    z.string(),
    z.discriminatedUnion("type", [
      z
        .strictObject({
          type: z.literal("gap-recovered"),
          metric: z.string().describe("A measure of the three arms."),
          arm: z.string().describe("The arm whose share is asked for."),
          low: z.string().describe("The arm at the bottom of the gap."),
          high: z.string().describe("The arm at its top."),
        })
        .describe("(arm − low) / (high − low)."),
      z
        .strictObject({
          type: z.literal("contrast"),
          terms: z
            .array(point.extend({ weight: z.number().describe("Its factor.") }))
            .min(2)
            .describe("What is added up."),
        })
        .describe("Σ weight · measure, such as the difference of two differences."),
      z
        .strictObject({
          type: z.literal("monotonicity"),
          points: z.array(point).min(2).describe("In the order in which the measure should grow."),
        })
        .describe("Kendall's τ of the measure with its order: 1 where it always grows."),
      z
        .strictObject({
          type: z.literal("rank-correlation"),
          points: z.array(point).min(2).describe("A measure of each of several things."),
          with: z.array(point).min(2).describe("Another measure of the same things in that order."),
        })
        .describe("Kendall's τ of two measures: 1 where they put all things in the same order.")
        .refine((measure) => measure.points.length === measure.with.length, {
          message: "must have as many as `points`",
          path: ["with"],
        }),
      z
        .strictObject({
          type: z.literal("area-under-curve"),
          metric: z.string().describe("A measure of the evaluations."),
        })
        .describe("Of every run: the mean height of its learning curve; a measure like any other."),
    ]),
  )
  .describe("Measures computed from those of runs, by name, with intervals by the same bootstrap.");

export type DerivedMeasures = z.output<typeof derivedSchema>;
export type DerivedMeasure = DerivedMeasures[string];
