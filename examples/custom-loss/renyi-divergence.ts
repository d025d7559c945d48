import * as tf from "@tensorflow/tfjs-core";
import { assertShape, defineLoss, logProbsFromLogits, stopGradient } from "pupil";
import { z } from "zod";

export interface RenyiOptions {
  /** Order of the divergence, above 0 and not 1. Default 0.5. */
  readonly alpha?: number;
  /** Both logits are divided by it before the softmax. Default 1. */
  readonly temperature?: number;
}

/**
 * Rényi divergence of order α of the teacher from the student, in nats per token.
 *
 *     1/(α − 1) · log Σ_v T_v^α S_v^(1−α),   T = softmax(teacher / τ), S = softmax(student / τ)
 *
 * At α → 1 it is the forward KL. A larger α looks more at what the teacher finds likely and the
 * student does not, a smaller one less: α is how much mass must be covered. At α = 1/2 it is
 * symmetric, −2 log of the Bhattacharyya coefficient.
 *
 * Gradient with respect to the student's logits: (S − W) / τ, with W = T^α S^(1−α) / Σ, the forward
 * KL's with W in place of T.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/1206.2459 (the divergence); https://arxiv.org/abs/1602.02311 (as a loss)
 */
export function renyiDivergence(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  { alpha = 0.5, temperature = 1 }: RenyiOptions = {},
): tf.Tensor2D {
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  return tf.tidy(() => {
    const student = logProbsFromLogits(studentLogits, { temperature });
    const teacher = logProbsFromLogits(stopGradient(teacherLogits), { temperature });
    const exponents = teacher.mul(alpha).add(student.mul(1 - alpha));
    // 0^α · S^(1−α) = 0: what the teacher rules out does not count, whatever the student says of it.
    const logTerms = tf.where(teacher.greater(-Infinity), exponents, -Infinity);
    // What only the student rules out is infinite above α = 1; an infinite peak would make it NaN.
    const peak = stopGradient(tf.clipByValue(logTerms.max(-1, true), -1e38, 1e38));
    const sum = logTerms.sub(peak).exp().sum(-1);
    return sum
      .log()
      .add(peak.squeeze([-1]))
      .div(alpha - 1);
  });
}

export const renyiDivergenceLoss = defineLoss({
  name: "renyi-divergence",
  summary: "Rényi divergence of the teacher from the student; alpha says how much it covers.",
  direction: "teacher from student; above alpha 1 more mass-covering than KL(teacher ‖ student)",
  formula: "1/(α − 1) log Σ_v T_v^α S_v^(1−α)",
  reference: "https://arxiv.org/abs/1206.2459 (Rényi divergence)",
  whenToUse:
    "To find out how much of the teacher a small student should cover: one number instead of a mixture of two KLs.",
  failureSignature:
    "With a large alpha single tokens that the student finds impossible rule the gradient, and the loss has spikes. Remedy: an alpha below 1.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    alpha: z
      .number()
      .positive()
      .refine((alpha) => Math.abs(alpha - 1) >= 0.01, "is too near 1, where it is forward-kl")
      .default(0.5)
      .describe("Order: 1 would be the forward KL; larger covers more of the teacher."),
    temperature: z
      .number()
      .positive()
      .default(1)
      .describe("Divides both logits before the softmax."),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { alpha: 2, temperature: 1.5 }, { alpha: 0.2 }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    renyiDivergence(studentLogits, teacherLogits, config),
});
