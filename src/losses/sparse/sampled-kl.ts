import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { selectedLogProbs } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { splitInfinite } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";

export interface SampledKlOptions {
  /** `[B, T, K]`, of the ids under the distribution they were drawn from. Default: the teacher's. */
  readonly teacherSampleLogProbs?: tf.Tensor3D;
  /** Divides the importance weights by their sum. Default false. */
  readonly normalizeWeights?: boolean;
}

/** Importance weights beyond e^40 are cut, so that they stay finite in float32. */
const largestLogWeight = 40;

/**
 * Forward KL, KL(teacher ‖ student), estimated from K tokens drawn at every position, with
 * replacement, in nats per token.
 *
 *     (1/K) Σ_k w_k (log T(y_k) − log S(y_k)),   w_k = T(y_k) / Q(y_k),   y_k ~ Q
 *
 * Unbiased in value and gradient for every Q that can draw what T can, the teacher itself (w = 1)
 * or a flatter one; unlike a KL on the likeliest tokens, which no K short of V makes exact. A single
 * value may be negative. `normalizeWeights` divides by Σ w in place of K, as in the paper: less
 * variance, a bias of order 1/K.
 *
 * @param studentLogits `[B, T, V]`
 * @param teacherTokenIds `[B, T, K]` int32, draws; the same id may occur more than once
 * @param teacherTopLogProbs `[B, T, K]`, the teacher's log-probabilities of the draws; no gradient
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2503.16870 (random sampling knowledge distillation)
 */
export function sampledKl(
  studentLogits: tf.Tensor3D,
  teacherTokenIds: tf.Tensor3D,
  teacherTopLogProbs: tf.Tensor3D,
  options: SampledKlOptions = {},
): tf.Tensor2D {
  const { normalizeWeights = false, teacherSampleLogProbs = teacherTopLogProbs } = options;
  assertShape(
    { studentLogits, teacherTokenIds, teacherTopLogProbs, teacherSampleLogProbs },
    {
      studentLogits: "B T V",
      teacherTokenIds: "B T K",
      teacherTopLogProbs: "B T K",
      teacherSampleLogProbs: "B T K",
    },
  );
  return tf.tidy(() => {
    const K = teacherTokenIds.shape[2];
    const teacher = stopGradient(teacherTopLogProbs);
    const weights = teacher.sub(stopGradient(teacherSampleLogProbs)).minimum(largestLogWeight);
    // What the teacher rules out weighs nothing, whatever it was drawn from.
    const ruledOut = teacher.equal(-Infinity);
    const logWeights = tf.where(ruledOut, teacher, weights);
    const shares = normalizeWeights ? tf.softmax(logWeights) : logWeights.exp().div(K);
    const student = selectedLogProbs(studentLogits, teacherTokenIds);
    const gap = tf.where(ruledOut, tf.zerosLike(teacher), teacher.sub(student));
    const { finite, infinite } = splitInfinite(gap);
    return shares.mul(finite).add(infinite).sum(-1);
  });
}

export const sampledKlLoss = defineLoss({
  name: "sampled-kl",
  summary: "Unbiased estimate of KL(teacher ‖ student) from tokens drawn from the teacher.",
  direction: "KL(teacher ‖ student), mass-covering, estimated from tokens of the teacher",
  formula: "(1/K) Σ_k T(y_k)/Q(y_k) (log T(y_k) − log S(y_k)), y_k ~ Q",
  reference: "https://arxiv.org/abs/2503.16870 (random sampling knowledge distillation)",
  whenToUse:
    "When K log-probabilities per position are all that can be stored or sent and the student must be calibrated: draws are right on average where the likeliest tokens are not.",
  failureSignature:
    "The loss is noisy or below 0 at single steps with few draws; its mean is what counts. A student that is far too sure means that the ids were the likeliest ones, not draws. Remedy: more draws, a teacher that samples.",
  per: "token",
  needs: ["studentLogits", "teacherTokenIds", "teacherTopLogProbs"],
  optional: ["teacherSampleLogProbs"],
  config: z.strictObject({
    normalizeWeights: z
      .boolean()
      .default(false)
      .describe("Divides the importance weights by their sum: less variance, slightly biased."),
  }),
  properties: { shiftInvariant: true },
  examples: [{}, { normalizeWeights: true }],
  evaluate: (
    { studentLogits, teacherTokenIds, teacherTopLogProbs, teacherSampleLogProbs },
    config,
  ) =>
    sampledKl(studentLogits, teacherTokenIds, teacherTopLogProbs, {
      ...config,
      ...(teacherSampleLogProbs === undefined ? {} : { teacherSampleLogProbs }),
    }),
});
