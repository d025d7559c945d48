import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { stopGradient } from "../stop-gradient.js";

export interface AttentionRelationOptions {
  /** KL(teacher ‖ student), or squared differences. Default "kl". */
  readonly metric?: "kl" | "mse";
}

/** Keeps the logarithm of an attention of 0 finite. */
const smallestAttention = 1e-12;

/**
 * Difference between where student and teacher look, at every position, averaged over heads.
 *
 *     kl:  mean_h Σ_s A^T_s (log A^T_s − log A^S_s)      (MiniLM, direction KL(teacher ‖ student))
 *     mse: mean_h Σ_s (A^T_s − A^S_s)²
 *
 * s runs over the positions that position t may see; the sum (not the mean) over s makes the value
 * independent of padding. Where the two agree both are 0; the gradient of `kl` with respect to the
 * probabilities is −A^T/A^S there, the same for all s, and becomes 0 in the softmax in front of them.
 * 0 · log 0 = 0; below 1e−12 an attention counts as 1e−12 in the logarithm
 * and gets no gradient from it. Both sides need the same number of heads: compare one layer with one
 * layer. No gradient flows into the teacher.
 *
 * @param studentAttentions `[B, H, T, T]`, probabilities: the last axis sums to 1
 * @param teacherAttentions `[B, H, T, T]`
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2002.10957 (MiniLM, transfer of attention distributions); squared
 *   differences as in https://arxiv.org/abs/1909.10351 (TinyBERT, there of unnormalized attention)
 */
export function attentionRelation(
  studentAttentions: tf.Tensor4D,
  teacherAttentions: tf.Tensor4D,
  { metric = "kl" }: AttentionRelationOptions = {},
): tf.Tensor2D {
  assertShape(
    { studentAttentions, teacherAttentions },
    { studentAttentions: "B H T T", teacherAttentions: "B H T T" },
  );
  return tf.tidy(() => {
    const teacher = stopGradient(teacherAttentions);
    const perKey =
      metric === "kl"
        ? teacher.mul(logOf(teacher).sub(logOf(studentAttentions)))
        : teacher.sub(studentAttentions).square();
    return perKey.sum(-1).mean(1) as tf.Tensor2D;
  });
}

function logOf(attentions: tf.Tensor): tf.Tensor {
  return attentions.maximum(smallestAttention).log();
}

export const attentionRelationLoss = defineLoss({
  name: "attention-relation",
  summary: "KL(teacher ‖ student) of the attention distributions, averaged over heads.",
  direction: "kl: KL(teacher ‖ student) over the positions attended to; mse: none",
  formula: "kl: mean_h Σ_s A^T (log A^T − log A^S); mse: mean_h Σ_s (A^T − A^S)²",
  reference: "https://arxiv.org/abs/2002.10957 (transfer of attention distributions)",
  whenToUse:
    "Student and teacher have the same number of heads in some layer, and the teacher's attention means something for the task.",
  failureSignature:
    "The loss stays high for single heads while the outputs agree: heads have no fixed order, and equal models may look elsewhere. Remedy: a small weight, the last layer only.",
  per: "token",
  needs: ["studentAttentions", "teacherAttentions"],
  config: z.strictObject({
    metric: z
      .enum(["kl", "mse"])
      .default("kl")
      .describe("KL(teacher ‖ student), or the sum of squared differences."),
  }),
  properties: { nonNegative: true },
  examples: [{}, { metric: "mse" }],
  evaluate: ({ studentAttentions, teacherAttentions }, config) =>
    attentionRelation(studentAttentions, teacherAttentions, config),
});
