import * as tf from "@tensorflow/tfjs-core";
import { logRatio } from "./masked.js";
import { stopGradient } from "./stop-gradient.js";

/** e^20 is far beyond any use and its products stay finite in float32. */
const largestLogRatio = 20;

/**
 * ρ = π(y) / π_old(y) of sampled tokens; its gradient with respect to log π is ρ. A log ratio above
 * 20 counts as 20 and gets no gradient.
 */
export function importanceRatio(
  tokenLogProbs: tf.Tensor2D,
  oldTokenLogProbs: tf.Tensor2D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const difference = logRatio(tokenLogProbs, stopGradient(oldTokenLogProbs));
    return tf.exp(tf.minimum<tf.Tensor2D>(difference, largestLogRatio));
  });
}
