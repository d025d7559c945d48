import type * as tf from "@tensorflow/tfjs-core";
import { selectedLogProbs, whereLikely } from "../ops/index.js";
import { assertShape } from "../tensors/index.js";
import { splitInfinite } from "./masked.js";
import { stopGradient } from "./stop-gradient.js";

/** Log-probabilities of the teacher's K tokens under both, `[B, T, K]`; none of the teacher's has a gradient. */
export function onTeacherTokens(
  studentLogits: tf.Tensor3D,
  teacherTokenIds: tf.Tensor3D,
  teacherTopLogProbs: tf.Tensor3D,
): { readonly student: tf.Tensor3D; readonly teacher: tf.Tensor3D } {
  assertShape(
    { studentLogits, teacherTokenIds, teacherTopLogProbs },
    { studentLogits: "B T V", teacherTokenIds: "B T K", teacherTopLogProbs: "B T K" },
  );
  return {
    student: selectedLogProbs(studentLogits, teacherTokenIds),
    teacher: stopGradient(teacherTopLogProbs),
  };
}

/**
 * Generalized KL (I-divergence) of masses that need not add up to 1, along the last axis:
 *
 *     Σ p (log p − log q) − p + q
 *
 * Every term is 0 or more, and 0 where p = q. 0 · log 0 = 0; +Infinity where q is 0 and p is not.
 *
 * Source: Csiszár 1975 (I-divergence geometry); as a Bregman divergence, Banerjee et al. 2005.
 */
export function generalizedKl(logP: tf.Tensor, logQ: tf.Tensor): tf.Tensor {
  const [p, q] = [logP.exp(), logQ.exp()];
  const { finite, infinite } = splitInfinite(whereLikely(p, logP.sub(logQ)));
  return p.mul(finite).add(infinite).sub(p).add(q).sum(-1);
}
