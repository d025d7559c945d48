import { z } from "zod";
import { adamwSchema, scheduleSchema } from "../optim/index.js";

const count = () => z.int().min(1);

/** What all trainers have. */
export const trainerFields = {
  steps: count().describe("Optimizer steps."),
  batchSize: count().default(16).describe("Rows per optimizer step, over all micro-batches."),
  gradientAccumulationSteps: count()
    .default(1)
    .describe("Micro-batches per optimizer step; changes memory, not the result."),
  packing: z
    .boolean()
    .default(false)
    .describe(
      "Puts several rows side by side into one, without seeing each other, in place of padding; changes the speed, not the result. Not for losses with one value per row.",
    ),
  maxGradNorm: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe("Clips the global gradient norm; null turns it off."),
  ...scheduleSchema.shape,
  optimizer: adamwSchema.prefault({}).describe("AdamW."),
};
