import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import {
  checkedLists,
  differences,
  meanOverPairs,
  realPairs,
  type ScoredLists,
  scoredListInputs,
  teacherOrder,
} from "../scored-lists.js";

export interface RankNetOptions {
  /** Steepness of the pair probabilities. Default 1. */
  readonly sigma?: number;
  /** What a pair is to be: the teacher's order, or its probability of that order. Default "order". */
  readonly target?: "order" | "soft";
}

/**
 * RankNet: cross-entropy of the order of every pair of candidates, in nats per pair.
 *
 *     order: mean over pairs t_i > t_j of softplus(−σ (s_i − s_j))
 *     soft:  mean over pairs i < j of BCE(sigmoid(σ (s_i − s_j)), sigmoid(σ (t_i − t_j)))
 *
 * With `order` only the teacher's ranking counts, not its confidence: pairs it scores alike are left
 * out, and there is no stationary point, a student with the right ranking is still pushed apart.
 * With `soft` the gradient is 0 where the student's differences are the teacher's; the value there
 * is the entropy of the teacher's pair probabilities, not 0 (as in DeAR's released rank_loss.py,
 * which has σ = 1 and averages over all pairs of the batch; here over those of the list). Memory
 * grows with N².
 *
 * @param lists scores `[B, N]` with `listMask`; a list without pairs gives 0
 * @returns `[B]`
 * @see https://doi.org/10.1145/1102351.1102363 (Burges et al. 2005)
 */
export function rankNet(lists: ScoredLists, options: RankNetOptions = {}): tf.Tensor1D {
  const { sigma = 1, target = "order" } = options;
  return tf.tidy(() => {
    const checked = checkedLists(lists);
    const lead = differences(checked.studentScores).mul(sigma);
    if (target === "order") {
      return meanOverPairs(lead.neg().softplus() as tf.Tensor3D, teacherOrder(checked));
    }
    const wanted = differences(checked.teacherScores).mul(sigma).sigmoid();
    const crossEntropy = lead.softplus().sub(wanted.mul(lead)) as tf.Tensor3D;
    // A pair has the same value in both orders, so i ≠ j averages as i < j does.
    const others = tf.sub(1, tf.eye(lead.shape[1] as number));
    return meanOverPairs(crossEntropy, realPairs(checked.listMask).mul(others));
  });
}

export const rankNetLoss = defineLoss({
  name: "rank-net",
  summary: "Cross-entropy of the order of all pairs of candidates, hard or by the teacher's odds.",
  formula:
    "order: mean_{t_i>t_j} softplus(−sigma (s_i − s_j)); soft: mean_{i<j} BCE(sigmoid(sigma (s_i − s_j)), sigmoid(sigma (t_i − t_j)))",
  reference: "https://doi.org/10.1145/1102351.1102363",
  whenToUse:
    "The ranking matters and the scale of the teacher's scores does not (order), or scores of a calibrated teacher (soft). Up to some 32 candidates.",
  failureSignature:
    "With order, scores keep growing and calibration is lost although the ranking is right. Remedy: target soft, or list-kl beside it.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject({
    sigma: z.number().positive().default(1).describe("Steepness of the pair probabilities."),
    target: z
      .enum(["order", "soft"])
      .default("order")
      .describe("Whether a pair is to have the teacher's order, or the teacher's odds of it."),
  }),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}, { sigma: 2 }, { target: "soft" }, { sigma: 0.5, target: "soft" }],
  evaluate: (inputs, config) => rankNet(inputs, config),
});
