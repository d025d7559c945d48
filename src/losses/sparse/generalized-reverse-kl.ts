import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import { generalizedKl, onTeacherTokens } from "../generalized-kl.js";

/**
 * Generalized KL from student to teacher on the K tokens that the teacher sends, in nats per token:
 *
 *     Σ_K S (log S − log T) − S + T
 *
 * The truncated sum Σ S (log S − log T) alone can be negative and rewards a student that puts its mass elsewhere;
 * with `− S + T` every term is 0 or more, the smallest value is 0, and it is reached where both agree on the
 * K tokens, however much mass they hold. With all V tokens it is the reverse KL, since both then sum to 1;
 * it is never above it.
 *
 * @param studentLogits `[B, T, V]`
 * @param teacherTokenIds `[B, T, K]` int32, no id twice at a position
 * @param teacherTopLogProbs `[B, T, K]`, of the whole vocabulary; no gradient
 * @returns `[B, T]`; +Infinity where the teacher rules out a listed token that the student does not
 * @see Csiszár 1975, I-divergence
 */
export function generalizedReverseKl(
  studentLogits: tf.Tensor3D,
  teacherTokenIds: tf.Tensor3D,
  teacherTopLogProbs: tf.Tensor3D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const { student, teacher } = onTeacherTokens(
      studentLogits,
      teacherTokenIds,
      teacherTopLogProbs,
    );
    return generalizedKl(student, teacher) as tf.Tensor2D;
  });
}

export const generalizedReverseKlLoss = defineLoss({
  name: "generalized-reverse-kl",
  summary: "Generalized KL(student ‖ teacher) on the teacher's likeliest tokens as they are.",
  direction: "KL(student ‖ teacher), mode-seeking, of the masses on the K tokens",
  formula: "Σ_K S (log S − log T) − S + T",
  reference: "Csiszár 1975, https://doi.org/10.1214/aop/1176996454 (I-divergence)",
  whenToUse:
    "A reverse KL from a teacher's top log-probabilities without a tail or renormalization: never negative, smallest where student and teacher agree on the K tokens.",
  failureSignature:
    "The loss is near 0 while the student's mass outside the K tokens is spread at will: nothing says how. Remedy: more tokens, or sampled-kl.",
  per: "token",
  needs: ["studentLogits", "teacherTokenIds", "teacherTopLogProbs"],
  config: z.strictObject({}),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}],
  evaluate: ({ studentLogits, teacherTokenIds, teacherTopLogProbs }) =>
    generalizedReverseKl(studentLogits, teacherTokenIds, teacherTopLogProbs),
});
