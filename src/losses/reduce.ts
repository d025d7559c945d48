import * as tf from "@tensorflow/tfjs";
import { assertShape } from "../tensors/index.js";

/**
 * Sum of the values where the mask is not 0. A masked value contributes exactly nothing to the sum
 * and gets a gradient of exactly 0, also if it is NaN or infinite. (Logits that are NaN there would
 * still make a NaN of that 0 further back: padding must have finite logits, as every model's has.)
 *
 * @param perToken `[B, T]`
 * @param mask `[B, T]`, 0 or 1
 */
export function maskedSum(perToken: tf.Tensor2D, mask: tf.Tensor2D): tf.Scalar {
  assertShape({ perToken, mask }, { perToken: "B T", mask: "B T" });
  return tf.tidy(() =>
    tf.where(tf.notEqual(mask, 0), perToken, tf.zerosLike(perToken)).sum<tf.Scalar>(),
  );
}

/**
 * Mean of the values where the mask is 1; 0 if it is 1 nowhere. For one batch alone: a training
 * step adds up {@link maskedSum} over its micro-batches and divides once by all their tokens.
 */
export function maskedMean(perToken: tf.Tensor2D, mask: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => maskedSum(perToken, mask).div(tf.maximum(mask.sum(), 1)) as tf.Scalar);
}
