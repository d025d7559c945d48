import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { logProbsFromLogits } from "../../ops/index.js";
import { defineLoss } from "../define.js";
import { keepMasked } from "../masked.js";
import {
  checkedLists,
  type ScoredLists,
  scoredListInputs,
  scoresAsLogits,
} from "../scored-lists.js";

export interface ListNetOptions {
  /** Divides both scores before the softmax. Default 1. */
  readonly temperature?: number;
}

/**
 * ListNet: cross-entropy between the probabilities of teacher and student that a candidate comes
 * first, in nats per list.
 *
 *     −Σ_i p_i log q_i,   p = softmax(t / τ), q = softmax(s / τ)
 *
 * The same gradient as `list-kl`; the value at the optimum is the entropy of the teacher, not 0
 * (DeAR's released `list_net` takes the entropy off and so is `list-kl`).
 *
 * @param lists scores `[B, N]` with `listMask`; a list without candidates gives 0
 * @returns `[B]`
 * @see https://doi.org/10.1145/1273496.1273513 (Cao et al. 2007, top-one probabilities)
 */
export function listNet(lists: ScoredLists, { temperature = 1 }: ListNetOptions = {}): tf.Tensor1D {
  return tf.tidy(() => {
    const { studentScores, teacherScores, listMask } = checkedLists(lists);
    const logProbs = (scores: tf.Tensor2D) =>
      logProbsFromLogits(scoresAsLogits(scores, listMask), { temperature }).squeeze<tf.Tensor2D>([
        1,
      ]);
    const target = logProbs(teacherScores).exp();
    return keepMasked(target.mul(logProbs(studentScores)), listMask)
      .sum(-1)
      .neg() as tf.Tensor1D;
  });
}

export const listNetLoss = defineLoss({
  name: "list-net",
  summary: "Cross-entropy of who comes first, the student's against the teacher's probabilities.",
  direction: "KL(teacher ‖ student) over the candidates, up to a constant",
  formula: "−Σ_i softmax(t/temperature)_i log softmax(s/temperature)_i",
  reference: "https://doi.org/10.1145/1273496.1273513",
  whenToUse: "The teacher's scores are calibrated and the top of the list matters most.",
  failureSignature:
    "The loss stops well above 0 and seems stuck: that is the entropy of the teacher. Compare with list-kl, which takes it off.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject({
    temperature: z
      .number()
      .positive()
      .default(1)
      .describe("Divides both scores before the softmax; above 1 it flattens both."),
  }),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }, { temperature: 0.5 }],
  evaluate: (inputs, config) => listNet(inputs, config),
});
