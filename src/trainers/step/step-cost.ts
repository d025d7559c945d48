import { noCost, type SamplingCost } from "../../rollouts/index.js";
import type { MicroBatch } from "./micro-batch.js";

/**
 * What an optimizer step costs beside its sampling: one forward pass of the student per sequence (and
 * one of its frozen reference), and one of the teacher for each that it scores, with the tokens of it
 * that are learned.
 */
export function stepCost(
  parts: readonly Pick<MicroBatch, "batch" | "teacher" | "reference">[],
): SamplingCost {
  const total = (count: (part: (typeof parts)[number]) => number) =>
    parts.reduce((sum, part) => sum + count(part), 0);
  const rows = ({ batch }: (typeof parts)[number]) => batch.sequences.length;
  return {
    ...noCost,
    studentForwards: total((part) => rows(part) * (part.reference === undefined ? 1 : 2)),
    teacherTokens: total((part) => (part.teacher === undefined ? 0 : part.batch.numTokens)),
    teacherForwards: total((part) => (part.teacher === undefined ? 0 : rows(part))),
  };
}

/** What plain sampling costs: every token is written in a pass of its own. */
export function writingCost(
  rollouts: readonly { readonly completionIds: readonly number[] }[],
): SamplingCost {
  const tokens = rollouts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  return { ...noCost, studentTokens: tokens, studentForwards: tokens };
}
