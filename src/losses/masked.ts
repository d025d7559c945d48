import * as tf from "@tensorflow/tfjs-core";
import { stopGradient } from "./stop-gradient.js";

/** Stands for a masked score or logit: its probability is exactly 0, and it is finite. */
export const maskedScore = -1e30;

/** Log-probabilities with {@link maskedScore} in place of −Infinity, for sums that must stay finite. */
export function finiteLogProbs<T extends tf.Tensor>(logProbs: T): T {
  return tf.maximum(logProbs, maskedScore);
}

/** Where both are −Infinity, as a boolean tensor; not where one is NaN. */
export function ruledOutByBoth(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.maximum(stopGradient(a), stopGradient(b)).equal(-Infinity);
}

/**
 * A tensor as the sum of a part that is finite and one that is not, 0 or ±Infinity, which has no gradient:
 * autodiff would multiply it by the 0 of a masked position, which is NaN.
 */
export function splitInfinite<T extends tf.Tensor>(x: T): { finite: T; infinite: T } {
  const constant = stopGradient(x);
  const isInfinite = tf.isInf(constant);
  const zeros = tf.zerosLike(constant);
  return {
    finite: tf.where(isInfinite, zeros, x) as T,
    infinite: tf.where(isInfinite, constant, zeros) as T,
  };
}

/** log a − log b: 0, without a gradient, where both are −Infinity; ±Infinity where one of them is. */
export function logRatio<T extends tf.Tensor>(logA: T, logB: T): T {
  return tf.where(ruledOutByBoth(logA, logB), tf.zerosLike(logA), logA.sub(logB)) as T;
}

/**
 * x where the mask is not 0, and `other` elsewhere. What is masked has no part in values and
 * gradients whatever it is, NaN and infinite included.
 *
 * @param mask of the shape of x, or one that broadcasts to it
 */
export function keepMasked<T extends tf.Tensor>(x: T, mask: tf.Tensor, other = 0): T {
  return tf.where(stopGradient(mask).notEqual(0), x, tf.fill(x.shape, other)) as T;
}

/** Mean along the last axis of what the mask leaves, 0 where it leaves nothing: `[B, N]` to `[B]`. */
export function meanOfMasked(x: tf.Tensor2D, mask: tf.Tensor2D): tf.Tensor1D {
  const count = stopGradient(mask).notEqual(0).toFloat().sum(-1);
  return keepMasked(x, mask).sum(-1).div(count.maximum(1)) as tf.Tensor1D;
}
