import * as tf from "@tensorflow/tfjs-core";
import { selectedLogProbs } from "../ops/index.js";
import { assertShape } from "../tensors/index.js";
import { splitInfinite } from "./masked.js";
import { stopGradient } from "./stop-gradient.js";

export interface StudentSupport {
  /** `[B, T, V]` */
  readonly studentLogits: tf.Tensor3D;
  /** `[B, T, K]` int32, tokens that were chosen with the student's probabilities. */
  readonly tokenIds: tf.Tensor3D;
  /** `[B, T, K]`, the teacher's of those tokens; no gradient. */
  readonly teacherLogProbs: tf.Tensor3D;
  /** `[B, T, K]`, how often each token was to be expected in the list: 1 for one that is always in it. */
  readonly expectedCounts: tf.Tensor3D;
}

/**
 * Reverse KL, KL(student ‖ teacher), from some tokens that the student chose, in nats per token:
 *
 *     Σ_k [S (log S − log T) − S + T](y_k) / E[times y_k is listed]
 *
 * With the student's top k (listed once, always) and M draws from the rest of its distribution (each expected
 * M · S / S_rest times) value and gradient are unbiased, whatever the top k hold: the sum over all V
 * tokens of `− S + T` is 0, and it takes out the part of the gradient that is noise alone. The expected counts
 * are constants: no gradient flows through the choice, whose part has mean 0 for a sum over all tokens.
 *
 * It is no loss of the library's list: no teacher is asked about tokens that the student chose, but one in
 * this process. `pupil compare-supports` measures it.
 *
 * @returns `[B, T]`
 */
export function studentSupportKl(support: StudentSupport): tf.Tensor2D {
  const { studentLogits, tokenIds, teacherLogProbs, expectedCounts } = support;
  assertShape(
    { studentLogits, tokenIds, teacherLogProbs, expectedCounts },
    {
      studentLogits: "B T V",
      tokenIds: "B T K",
      teacherLogProbs: "B T K",
      expectedCounts: "B T K",
    },
  );
  return tf.tidy(() => {
    const student = selectedLogProbs(studentLogits, tokenIds);
    const teacher = stopGradient(teacherLogProbs);
    const { finite, infinite } = splitInfinite(student.sub(teacher));
    const [s, t] = [student.exp(), teacher.exp()];
    const terms = s.mul(finite).add(infinite).sub(s).add(t);
    return terms.div(stopGradient(expectedCounts)).sum(-1) as tf.Tensor2D;
  });
}
