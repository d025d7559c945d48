import * as tf from "@tensorflow/tfjs-core";

/** Float32 `[..., V]`: 1 at the id, else 0. (tfjs's own refuses V = 1 and gives int32.) */
export function oneHot(ids: tf.Tensor, vocabularySize: number): tf.Tensor {
  if (vocabularySize === 1) return tf.ones([...ids.shape, 1]);
  return tf.oneHot(ids.toInt() as tf.Tensor1D, vocabularySize).toFloat();
}
