import * as tf from "@tensorflow/tfjs-core";

/** A trainable variable that takes ownership of `initial` (plain `tf.variable` keeps it alive). */
export function createVariable(initial: tf.Tensor, trainable = true): tf.Variable {
  const variable = tf.variable(initial, trainable);
  initial.dispose();
  return variable;
}

/** Takes a tensor out of the surrounding scope: whoever calls this owns and disposes it. */
export function keepTensor<T extends tf.Tensor>(tensor: T): T {
  return tf.keep(tensor);
}
