import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { unitVectors } from "../cosine-similarity.js";
import { defineLoss } from "../define.js";
import { keepMasked, maskedScore, meanOfMasked } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";

export interface InBatchContrastiveOptions {
  /** Divides the cosines before the softmax. Default 0.5. */
  readonly temperature?: number;
  /** What a student's vector is told apart from. Default "both". */
  readonly negatives?: "both" | "teacher";
}

/**
 * In-batch contrastive loss: at every position, a row's student vector is to be recognized as the
 * partner of its teacher vector among the vectors of all rows. In nats.
 *
 *     both:    ½ [ℓ(s_b, t_b) + ℓ(t_b, s_b)],  the others being all 2B − 1 vectors at that position
 *              (NT-Xent)
 *     teacher: ℓ(s_b, t_b),  the others being the B teacher vectors (InfoNCE)
 *     ℓ(u, v) = −log exp(cos(u, v)/τ) / Σ_others exp(cos(u, ·)/τ)
 *
 * Averaged over the positions of a row that count. A vector at a position that does not count is no
 * negative either. The value depends on the whole batch, so a step cannot be split into
 * micro-batches. τ = 0.5 and the form `both` are VidLanKD's released code (its paper speaks of CRD),
 * which divides by 2B once more; projection heads, if any, come before. No gradient flows into the
 * teacher.
 *
 * @param studentHiddenStates `[B, T, D]`
 * @param teacherHiddenStates `[B, T, D]`
 * @param positionMask `[B, T]`, 1 for the positions that count
 * @returns `[B]`; 0 for a row without positions, or where no other row has any
 * @see https://arxiv.org/abs/2002.05709, equation 1; https://arxiv.org/abs/2107.02681, vteacher/loss.py
 */
export function inBatchContrastive(
  studentHiddenStates: tf.Tensor3D,
  teacherHiddenStates: tf.Tensor3D,
  positionMask: tf.Tensor2D,
  options: InBatchContrastiveOptions = {},
): tf.Tensor1D {
  const { temperature = 0.5, negatives = "both" } = options;
  assertShape(
    { studentHiddenStates, teacherHiddenStates, positionMask },
    { studentHiddenStates: "B T D", teacherHiddenStates: "B T D", positionMask: "B T" },
  );
  return tf.tidy(() => {
    const vectors = (states: tf.Tensor3D) => {
      const counted = keepMasked(states, positionMask.expandDims(2));
      return unitVectors(counted).transpose<tf.Tensor3D>([1, 0, 2]);
    };
    const student = vectors(studentHiddenStates);
    const teacher = vectors(stopGradient(teacherHiddenStates));
    const counts = stopGradient(positionMask).transpose().expandDims(1);
    const others = tf.sub(1, tf.eye(positionMask.shape[0]));
    // [T, B, B]: the vector of row b at position t against those of all rows.
    const similarities = (a: tf.Tensor3D, b: tf.Tensor3D, mask: tf.Tensor) =>
      keepMasked(tf.matMul(a, b, false, true).div(temperature), mask, maskedScore);
    const partner = student.mul(teacher).sum(-1).div(temperature);
    const surprise = (against: tf.Tensor[]) =>
      tf.concat(against, -1).logSumExp(-1).sub(partner).transpose();
    const acrossFromStudent = similarities(student, teacher, counts);
    if (negatives === "teacher") {
      return meanOfMasked(surprise([acrossFromStudent]) as tf.Tensor2D, positionMask);
    }
    const withinMask = counts.mul(others);
    const fromStudent = surprise([acrossFromStudent, similarities(student, student, withinMask)]);
    const fromTeacher = surprise([
      similarities(teacher, student, counts),
      similarities(teacher, teacher, withinMask),
    ]);
    return meanOfMasked(fromStudent.add(fromTeacher).mul(0.5) as tf.Tensor2D, positionMask);
  });
}

export const inBatchContrastiveLoss = defineLoss({
  name: "in-batch-contrastive",
  summary:
    "A row's student and teacher vectors are to recognize each other among the vectors of the batch.",
  formula:
    "mean over positions of −log exp(cos(s_b, t_b)/τ) / Σ_k exp(cos(s_b, k)/τ), with negatives both also from t_b",
  reference: "https://arxiv.org/abs/2002.05709 (equation 1); https://arxiv.org/abs/2107.02681",
  whenToUse:
    "The teacher's vectors need only be told apart, not copied: other widths (behind projections) and other modalities.",
  failureSignature:
    "The loss stays at log of the number of candidates: the batch is too small or all vectors are alike. Remedy: larger batches, a lower temperature.",
  per: "row",
  needs: ["studentHiddenStates", "teacherHiddenStates", "positionMask"],
  config: z.strictObject({
    temperature: z
      .number()
      .positive()
      .default(0.5)
      .describe("Divides the cosines before the softmax."),
    negatives: z
      .enum(["both", "teacher"])
      .default("both")
      .describe("Whether a vector is told apart from all vectors of the batch or the teacher's."),
  }),
  properties: { nonNegative: true, comparesRows: true },
  examples: [{}, { temperature: 0.2, negatives: "teacher" }],
  evaluate: ({ studentHiddenStates, teacherHiddenStates, positionMask }, config) =>
    inBatchContrastive(studentHiddenStates, teacherHiddenStates, positionMask, config),
});
