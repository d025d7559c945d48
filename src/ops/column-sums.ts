import * as tf from "@tensorflow/tfjs-core";

/**
 * Sum over all axes but the last, `[..., D]` to `[D]`, as a product with a row of ones: tfjs's
 * sum over leading axes transposes first.
 */
export function columnSums(x: tf.Tensor): tf.Tensor1D {
  const width = x.shape[x.rank - 1] as number;
  const rows = x.reshape([-1, width]) as tf.Tensor2D;
  return tf.matMul(tf.ones([1, rows.shape[0]]), rows).reshape([width]);
}
