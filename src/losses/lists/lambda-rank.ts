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
import { stopGradient } from "../stop-gradient.js";

export interface LambdaRankOptions {
  /** Steepness of the pair probabilities. Default 1. */
  readonly sigma?: number;
  /** How relevance becomes gain: 2^relevance − 1, or relevance. Default "exponential". */
  readonly gain?: "exponential" | "linear";
}

/**
 * LambdaRank: RankNet in which a pair counts by how much exchanging its two candidates would change
 * NDCG.
 *
 *     Σ over pairs t_i > t_j of |ΔNDCG_ij| softplus(−σ (s_i − s_j))
 *     |ΔNDCG_ij| = |G_i − G_j| · |1/log2(1 + r_i) − 1/log2(1 + r_j)| / DCG of the teacher's order
 *
 * r is the rank in the student's present order (equal scores rank as they are listed); the weights
 * are constants, no gradient flows through the ranks. Relevance is the teacher's score above the
 * lowest of the list, so that any scores will do: graded relevance from 0 gives the usual gain if the
 * list has an irrelevant candidate. The sum is not divided by the number of pairs: the weights add
 * up to what NDCG can change. (DeAR's released `lambda_loss` divides by the pairs and shifts the
 * ranks by one.)
 *
 * @param lists scores `[B, N]` with `listMask`; a list without pairs gives 0
 * @returns `[B]`
 * @see https://www.microsoft.com/en-us/research/publication/from-ranknet-to-lambdarank-to-lambdamart-an-overview/;
 *   as a loss: https://doi.org/10.1145/3269206.3271784 (Wang et al. 2018)
 */
export function lambdaRank(lists: ScoredLists, options: LambdaRankOptions = {}): tf.Tensor1D {
  const { sigma = 1, gain = "exponential" } = options;
  return tf.tidy(() => {
    const checked = checkedLists(lists);
    const pairLoss = differences(checked.studentScores).mul(-sigma).softplus();
    const weights = stopGradient(ndcgChanges(checked, gain));
    return keepMasked(pairLoss.mul(weights), teacherOrder(checked)).sum([1, 2]) as tf.Tensor1D;
  });
}

/** |ΔNDCG| of exchanging i and j, `[B, N, N]`. */
function ndcgChanges(lists: ScoredLists, gain: "exponential" | "linear"): tf.Tensor {
  const { teacherScores, listMask } = lists;
  const studentScores = stopGradient(lists.studentScores);
  const gains = relativeGains(teacherScores, listMask, gain);
  const discount = (scores: tf.Tensor2D) =>
    tf.div(Math.LN2, ranks(scores, listMask).add(1).log()) as tf.Tensor2D;
  const best = gains.mul(discount(teacherScores)).sum(-1).reshape([-1, 1, 1]);
  const change = differences(gains)
    .mul(differences(discount(studentScores)))
    .abs();
  return change.div(tf.where(best.greater(0), best, tf.onesLike(best)));
}

/** Gains divided by the largest gain of the list, `[B, N]`, so that 2^relevance cannot overflow. */
function relativeGains(
  teacherScores: tf.Tensor2D,
  listMask: tf.Tensor2D,
  gain: "exponential" | "linear",
): tf.Tensor2D {
  const highest = keepMasked(teacherScores, listMask, maskedScore).max(-1, true);
  const lowest = keepMasked(teacherScores, listMask, -maskedScore).min(-1, true);
  const below = teacherScores.sub(highest);
  const range = highest.sub(lowest);
  const relative =
    gain === "exponential"
      ? below.mul(Math.LN2).exp().sub(range.mul(-Math.LN2).exp())
      : below.div(tf.where(range.greater(0), range, tf.onesLike(range))).add(1);
  return keepMasked(relative as tf.Tensor2D, listMask);
}

/** 1 for the highest score, 2 for the next; equal scores in the order of the list. */
function ranks(scores: tf.Tensor2D, listMask: tf.Tensor2D): tf.Tensor2D {
  const N = scores.shape[1];
  const isEarlier = tf.linalg.bandPart(tf.ones([N, N]), 0, -1).sub(tf.eye(N));
  const lead = differences(scores);
  const above = lead.greater(0).toFloat().add(lead.equal(0).toFloat().mul(isEarlier));
  return above.mul(realPairs(listMask)).sum(1).add(1) as tf.Tensor2D;
}

export const lambdaRankLoss = defineLoss({
  name: "lambda-rank",
  summary: "RankNet with pairs weighted by how much exchanging them would change NDCG.",
  formula:
    "Σ_{t_i>t_j} |ΔNDCG_ij| softplus(−sigma (s_i − s_j)), ranks from the student's present order",
  reference:
    "https://www.microsoft.com/en-us/research/publication/from-ranknet-to-lambdarank-to-lambdamart-an-overview/",
  whenToUse: "NDCG is what will be measured, so that mistakes at the top of the list count most.",
  failureSignature:
    "The loss jumps from step to step although scores move little: ranks near each other exchange and the weights with them. Remedy: a smaller learning rate or sigma, or start with rank-net.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject({
    sigma: z.number().positive().default(1).describe("Steepness of the pair probabilities."),
    gain: z
      .enum(["exponential", "linear"])
      .default("exponential")
      .describe("How relevance becomes gain: 2^relevance − 1, or the relevance itself."),
  }),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}, { sigma: 2, gain: "linear" }],
  evaluate: (inputs, config) => lambdaRank(inputs, config),
});
