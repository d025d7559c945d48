import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { logProbsFromLogits } from "../../ops/index.js";
import { defineLoss } from "../define.js";
import { keepMasked, maskedScore, meanOfMasked } from "../masked.js";
import {
  checkedLists,
  type ScoredLists,
  scoredListInputs,
  scoresAsLogits,
} from "../scored-lists.js";

export interface CandidateCrossEntropyOptions {
  /** Divides the student's scores before the softmax. Default 1. */
  readonly temperature?: number;
}

/**
 * Cross-entropy over the candidates of a list with the teacher's favourite as the label, in nats.
 *
 *     −log softmax(s / τ)_best,   best = argmax t
 *
 * Candidates that share the highest score share the label: with 0/1 relevance as `teacherScores`
 * this is the mean over the relevant ones. It is `list-kl` to a one-hot teacher. DeAR puts the
 * relevant passage first and takes index 0; here its place does not matter.
 *
 * @param lists scores `[B, N]` with `listMask`; a list without candidates gives 0
 * @returns `[B]`
 * @see https://arxiv.org/abs/2508.16998; its released pointwise_reranker/modeling.py
 */
export function candidateCrossEntropy(
  lists: ScoredLists,
  { temperature = 1 }: CandidateCrossEntropyOptions = {},
): tf.Tensor1D {
  return tf.tidy(() => {
    const { studentScores, teacherScores, listMask } = checkedLists(lists);
    const logits = scoresAsLogits(studentScores, listMask);
    const logProbs = logProbsFromLogits(logits, { temperature }).squeeze<tf.Tensor2D>([1]);
    const highest = keepMasked(teacherScores, listMask, maskedScore).max(-1, true);
    const best = teacherScores.equal(highest).toFloat().mul<tf.Tensor2D>(listMask);
    return meanOfMasked(logProbs, best).neg();
  });
}

export const candidateCrossEntropyLoss = defineLoss({
  name: "candidate-cross-entropy",
  summary: "Negative log-probability of the teacher's favourite candidate.",
  formula: "−log softmax(s/temperature)_best with best = argmax_i t_i",
  reference: "https://arxiv.org/abs/2508.16998 (stage 1)",
  whenToUse: "Lists with one right candidate, or a teacher whose favourite is all that counts.",
  failureSignature:
    "Top-1 accuracy rises while the order below the first place stays random: only the favourite is trained. Remedy: add list-kl or rank-net.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject({
    temperature: z
      .number()
      .positive()
      .default(1)
      .describe("Divides the student's scores before the softmax."),
  }),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }],
  evaluate: (inputs, config) => candidateCrossEntropy(inputs, config),
});
