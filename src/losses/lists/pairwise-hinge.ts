import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import {
  checkedLists,
  differences,
  meanOverPairs,
  type ScoredLists,
  scoredListInputs,
  teacherOrder,
} from "../scored-lists.js";

export interface PairwiseHingeOptions {
  /** By how much the better candidate has to lead. Default 1. */
  readonly margin?: number;
}

/**
 * Hinge on every pair of candidates that the teacher orders.
 *
 *     mean over pairs t_i > t_j of max(0, margin − (s_i − s_j))
 *
 * 0 with a gradient of 0 once every pair leads by the margin: unlike RankNet it leaves a student
 * alone that ranks as the teacher does. Pairs that the teacher scores alike are left out.
 *
 * @param lists scores `[B, N]` with `listMask`; a list without pairs gives 0
 * @returns `[B]`
 * @see https://doi.org/10.1145/775047.775067 (Joachims 2002, ranking SVM)
 */
export function pairwiseHinge(
  lists: ScoredLists,
  { margin = 1 }: PairwiseHingeOptions = {},
): tf.Tensor1D {
  return tf.tidy(() => {
    const checked = checkedLists(lists);
    const missing = differences(checked.studentScores).neg().add(margin).relu();
    return meanOverPairs(missing as tf.Tensor3D, teacherOrder(checked));
  });
}

export const pairwiseHingeLoss = defineLoss({
  name: "pairwise-hinge",
  summary:
    "Every pair is to lead by a margin in the teacher's order; satisfied pairs are left alone.",
  formula: "mean_{t_i>t_j} max(0, margin − (s_i − s_j))",
  reference: "https://doi.org/10.1145/775047.775067",
  whenToUse: "Only the ranking counts and the scores must not grow without end.",
  failureSignature:
    "The loss stands near the margin and the scores near each other: one far outlier outweighs the pairs. Remedy: a smaller margin, or rank-net.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject({
    margin: z
      .number()
      .min(0)
      .default(1)
      .describe("By how much the better candidate of a pair has to lead."),
  }),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}, { margin: 0.25 }],
  evaluate: (inputs, config) => pairwiseHinge(inputs, config),
});
