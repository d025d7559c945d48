import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "./stop-gradient.js";

/** Stands for a masked score or logit: its probability is exactly 0, and it is finite. */
export const maskedScore = -1e30;

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
