import type * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { crossEntropyFromLogits } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";

export interface CrossEntropyOptions {
  /** Share of the target probability that is spread evenly over the vocabulary. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of the student at the labels, in nats per token.
 *
 *     −Σ_v q_v log S_v,   q = (1 − ε) one-hot(label) + ε / V
 *
 * With ε = 0 this is −log S(label). Its minimum over S is the entropy of q, so it is not 0 at the
 * optimum when ε > 0.
 *
 * @param studentLogits `[B, T, V]`
 * @param labels `[B, T]` int32, the token that position t predicts
 * @returns `[B, T]`
 * @see Label smoothing: https://arxiv.org/abs/1512.00567, section 7
 */
export function crossEntropy(
  studentLogits: tf.Tensor3D,
  labels: tf.Tensor2D,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): tf.Tensor2D {
  assertShape({ studentLogits, labels }, { studentLogits: "B T V", labels: "B T" });
  return crossEntropyFromLogits(studentLogits, labels, { labelSmoothing });
}

export const crossEntropyLoss = defineLoss({
  name: "cross-entropy",
  summary: "Negative log-likelihood of the labels under the student; the loss of SFT.",
  direction: "KL(labels ‖ student) up to a constant, mass-covering",
  formula: "−Σ_v q_v log S_v with q = (1 − labelSmoothing) · one-hot(label) + labelSmoothing / V",
  reference: "https://arxiv.org/abs/1512.00567 (section 7: label smoothing)",
  whenToUse:
    "For labels that are right: supervised fine-tuning, or a small term beside a divergence that keeps the student on the data.",
  failureSignature:
    "Overconfidence: the held-out loss rises while the training loss falls. Remedy: labelSmoothing, fewer steps, or a divergence to a teacher.",
  per: "token",
  needs: ["studentLogits", "labels"],
  config: z.strictObject({
    labelSmoothing: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe("Share of the target probability that is spread evenly over the vocabulary."),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: false, shiftInvariant: true },
  examples: [{}, { labelSmoothing: 0.1 }],
  rowLosses: ({ labelSmoothing }) => [{ kind: "crossEntropy", labelSmoothing }],
  evaluate: ({ studentLogits, labels }, config) => crossEntropy(studentLogits, labels, config),
});
