import { z } from "zod";

/** A weight that changes over training, from `from` before `begin` to `to` after `end`. */
export interface WeightSchedule {
  readonly from: number;
  readonly to: number;
  readonly shape: "linear" | "cosine";
  readonly begin: number;
  readonly end: number;
}
export type LossWeight = number | WeightSchedule;

const share = () => z.number().min(0).max(1);

export const weightScheduleSchema = z
  .strictObject({
    from: z.number().min(0).describe("Weight up to `begin`."),
    to: z.number().min(0).describe("Weight from `end` on."),
    shape: z
      .enum(["linear", "cosine"])
      .default("linear")
      .describe("How it gets from one to the other."),
    begin: share().default(0).describe("Share of the training after which it starts to change."),
    end: share().default(1).describe("Share of the training after which it has changed."),
  })
  .refine(({ begin, end }) => begin <= end, { message: "`begin` must not be after `end`" });

export const weightField = z
  .union([z.number().min(0), weightScheduleSchema])
  .default(1)
  .describe("Factor of this term in the sum; { from, to } changes it over the training.");

/**
 * The weight of a term at a share of the training, from 0 (the first step) to 1 (the last).
 *
 *     weightAt({ from: 1, to: 0, shape: "linear", begin: 0, end: 0.5 }, 0.25)   // 0.5
 */
export function weightAt(weight: LossWeight, progress: number): number {
  if (typeof weight === "number") return weight;
  const { from, to, shape, begin, end } = weight;
  const done = end > begin ? (progress - begin) / (end - begin) : Number(progress >= end);
  const share = Math.min(1, Math.max(0, done));
  const moved = shape === "cosine" ? 0.5 * (1 - Math.cos(Math.PI * share)) : share;
  return from + (to - from) * moved;
}
