import * as tf from "@tensorflow/tfjs-core";

/** Disposes every tensor given; undefined entries are skipped. */
export function disposeAll(tensors: Iterable<{ dispose(): void } | undefined>): void {
  for (const tensor of tensors) tensor?.dispose();
}

/**
 * Reads named scalars in one device read and disposes them, also when the read fails.
 * This is the one readback of a training step.
 */
export async function readScalars<K extends string>(
  scalars: Record<K, tf.Tensor>,
): Promise<Record<K, number>> {
  const names = Object.keys(scalars) as K[];
  if (names.length === 0) return {} as Record<K, number>;
  const tensors = names.map((name) => scalars[name]);
  let stacked: tf.Tensor | undefined;
  try {
    stacked = tf.tidy(() => tf.stack(tensors.map((t) => t.reshape([]).toFloat())));
    const values = await stacked.data();
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<K, number>;
  } finally {
    disposeAll([stacked, ...tensors]);
  }
}

/** Reads one tensor's values and disposes it, also when the read fails. */
export async function readValues<D extends "float32" | "int32">(
  tensor: tf.Tensor,
  dtype: D,
): Promise<tf.DataTypeMap[D]> {
  if (tensor.dtype !== dtype) {
    const found = tensor.dtype;
    tensor.dispose();
    throw new Error(`Expected a ${dtype} tensor to read, got ${found}.`);
  }
  try {
    return (await tensor.data<D>()) as tf.DataTypeMap[D];
  } finally {
    tensor.dispose();
  }
}
