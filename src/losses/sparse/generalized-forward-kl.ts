import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import { generalizedKl, onTeacherTokens } from "../generalized-kl.js";

/**
 * Generalized KL from teacher to student on the K tokens that the teacher sends, in nats per token:
 *
 *     Σ_K T (log T − log S) − T + S
 *
 * The truncated sum Σ T (log T − log S) alone can be negative and rewards a student that puts more than the teacher on the K tokens;
 * with `− T + S` every term is 0 or more, the smallest value is 0, and it is reached where both agree on the
 * K tokens, however much mass they hold. With all V tokens it is the forward KL, since both then sum to 1;
 * it is never above it.
 *
 * @param studentLogits `[B, T, V]`
 * @param teacherTokenIds `[B, T, K]` int32, no id twice at a position
 * @param teacherTopLogProbs `[B, T, K]`, of the whole vocabulary; no gradient
 * @returns `[B, T]`; +Infinity where the student rules out a listed token that the teacher does not
 * @see Csiszár 1975, I-divergence
 */
export function generalizedForwardKl(
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
    return generalizedKl(teacher, student) as tf.Tensor2D;
  });
}

export const generalizedForwardKlLoss = defineLoss({
  name: "generalized-forward-kl",
  summary: "Generalized KL(teacher ‖ student) on the teacher's likeliest tokens as they are.",
  direction: "KL(teacher ‖ student), mass-covering, of the masses on the K tokens",
  formula: "Σ_K T (log T − log S) − T + S",
  reference: "Csiszár 1975, https://doi.org/10.1214/aop/1176996454 (I-divergence)",
  whenToUse:
    "A forward KL from a teacher's top log-probabilities without a tail or renormalization: never negative, smallest where student and teacher agree on the K tokens.",
  failureSignature:
    "The loss is near 0 while the student's mass outside the K tokens is spread at will: nothing says how. Remedy: more tokens, or sampled-kl.",
  per: "token",
  needs: ["studentLogits", "teacherTokenIds", "teacherTopLogProbs"],
  config: z.strictObject({}),
  properties: { nonNegative: true, shiftInvariant: true },
  examples: [{}],
  evaluate: ({ studentLogits, teacherTokenIds, teacherTopLogProbs }) =>
    generalizedForwardKl(studentLogits, teacherTokenIds, teacherTopLogProbs),
});
