import { z } from "zod";

/** When runs end early. */
export const stopSchema = z
  .strictObject({
    type: z.literal("asha").default("asha").describe("Asynchronous successive halving."),
    metric: z.string().describe("A measure of the evaluations, such as heldOut.loss."),
    direction: z.enum(["lowest", "highest"]).describe("Which values are the best."),
    minSteps: z
      .int()
      .min(1)
      .describe(
        "Steps at which runs of a seed are first compared; then at each multiple by `reduction`.",
      ),
    reduction: z
      .number()
      .min(1.5)
      .default(3)
      .describe("One in so many goes on at each comparison (η)."),
  })
  .describe("Ends runs early that are not among the best of their seed so far.");

export type StopRule = z.output<typeof stopSchema>;
