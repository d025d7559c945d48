import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import { keepMasked, maskedScore } from "../masked.js";
import {
  checkedLists,
  differences,
  realPairs,
  type ScoredLists,
  scoredListInputs,
  teacherOrder,
} from "../scored-lists.js";

export interface ListMleOptions {
  /** How many of the teacher's first places count; 0 means all. Default 0. */
  readonly topK?: number;
}

/**
 * ListMLE: negative log-likelihood of the teacher's ranking when candidates are drawn one after the
 * other without replacement, each with a chance proportional to exp(score) (Plackett-Luce). In nats
 * per list.
 *
 *     Σ_i [ log Σ_{k: t_k ≤ t_i} exp(s_k) − s_i ]
 *
 * The sum is over all candidates, or over the teacher's first `topK`; longer lists have larger
 * values. Candidates that the teacher scores alike compete with each other at every one of their
 * places (Breslow's treatment of ties), so the order in the list does not matter.
 *
 * @param lists scores `[B, N]` with `listMask`; a list without candidates gives 0
 * @returns `[B]`
 * @see https://doi.org/10.1145/1390156.1390306 (Xia et al. 2008)
 */
export function listMle(lists: ScoredLists, { topK = 0 }: ListMleOptions = {}): tf.Tensor1D {
  return tf.tidy(() => {
    const checked = checkedLists(lists);
    const { studentScores, teacherScores, listMask } = checked;
    const N = studentScores.shape[1];
    const left = differences(teacherScores).greaterEqual(0).toFloat().mul(realPairs(listMask));
    const rivals = studentScores.expandDims(1).tile([1, N, 1]);
    const total = keepMasked(rivals, left, maskedScore).logSumExp(-1);
    const surprise = total.sub<tf.Tensor2D>(studentScores);
    if (topK === 0) return keepMasked(surprise, listMask).sum(-1);
    const placesAbove = teacherOrder(checked).sum<tf.Tensor2D>(1);
    const counted = placesAbove.less(topK).toFloat().mul(listMask);
    return keepMasked(surprise, counted).sum(-1);
  });
}

export const listMleLoss = defineLoss({
  name: "list-mle",
  summary: "Negative log-likelihood of the teacher's whole ranking under the student's scores.",
  formula:
    "Σ_i [log Σ_{k: t_k ≤ t_i} exp(s_k) − s_i], over all candidates or the teacher's first topK",
  reference: "https://doi.org/10.1145/1390156.1390306",
  whenToUse: "The teacher gives a ranking (a permutation) rather than scores.",
  failureSignature:
    "Long lists dominate, and the bottom of the list is fitted at the cost of its top. Remedy: topK.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject({
    topK: z
      .int()
      .min(0)
      .default(0)
      .describe("How many of the teacher's first places count; 0 means all."),
  }),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}, { topK: 2 }],
  evaluate: (inputs, config) => listMle(inputs, config),
});
