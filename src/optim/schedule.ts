import { z } from "zod";
import { parseConfig } from "../errors/index.js";

export const scheduleSchema = z.strictObject({
  learningRate: z.number().positive().default(1e-3).describe("Peak learning rate."),
  schedule: z
    .enum(["constant", "cosine", "linear"])
    .default("cosine")
    .describe("Shape of the decay after the warm-up."),
  warmupSteps: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe("Steps of linear warm-up from 0 to the peak."),
  finalLearningRateFraction: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Learning rate at the last step, as a fraction of the peak (cosine and linear)."),
});
export type Schedule = z.output<typeof scheduleSchema>;

/** Every field at its default. */
export const defaultSchedule: Schedule = scheduleSchema.parse({});

/**
 * A schedule of which some fields are given.
 *
 * @throws PupilError naming what is no field of it, or has no such value
 */
export function completeSchedule(given: Partial<Schedule> = {}): Schedule {
  return parseConfig(scheduleSchema, given, "schedule");
}

/**
 * Learning rate of optimizer step `step` (from 0) of `steps`. Warm-up is linear and reaches the peak
 * at step `warmupSteps`; the decay reaches `finalLearningRateFraction` of the peak at the last step.
 */
export function learningRateAt(step: number, steps: number, options: Schedule): number {
  const { learningRate, schedule, warmupSteps, finalLearningRateFraction } = options;
  if (step < warmupSteps) return (learningRate * (step + 1)) / (warmupSteps + 1);
  const decaySteps = Math.max(1, steps - 1 - warmupSteps);
  const progress = Math.min(1, (step - warmupSteps) / decaySteps);
  const remaining = decayShapes[schedule](progress);
  return learningRate * (finalLearningRateFraction + (1 - finalLearningRateFraction) * remaining);
}

/** Progress 0..1 to the share of the decay that is still to come, 1..0. */
const decayShapes: Record<Schedule["schedule"], (progress: number) => number> = {
  constant: () => 1,
  cosine: (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  linear: (progress) => 1 - progress,
};
