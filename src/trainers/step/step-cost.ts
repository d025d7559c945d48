import { noCost, type SamplingCost } from "../../rollouts/index.js";
import type { MicroBatch } from "./micro-batch.js";

/**
 * What an optimizer step costs beside its sampling: one forward pass of the student per sequence, and
 * one of the teacher and of the reference for each that they score. No token is written.
 */
export function stepCost(
  parts: readonly Pick<MicroBatch, "batch" | "teacher" | "reference">[],
): SamplingCost {
  const passes = (isCounted: (part: (typeof parts)[number]) => boolean) =>
    parts.reduce((sum, part) => sum + (isCounted(part) ? part.batch.sequences.length : 0), 0);
  return {
    ...noCost,
    studentForwards: passes(() => true),
    teacherForwards:
      passes(({ teacher }) => teacher !== undefined) +
      passes(({ reference }) => reference !== undefined),
  };
}

/** What plain sampling costs: every token is written in a pass of its own. */
export function writingCost(
  rollouts: readonly { readonly completionIds: readonly number[] }[],
): SamplingCost {
  const tokens = rollouts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  return { ...noCost, studentTokens: tokens, studentForwards: tokens };
}
