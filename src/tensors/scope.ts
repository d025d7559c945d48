import * as tf from "@tensorflow/tfjs-core";

/** Disposes every tensor given; undefined entries are skipped. */
export function disposeAll(tensors: Iterable<{ dispose(): void } | undefined>): void {
  for (const tensor of tensors) tensor?.dispose();
}

/** Named scalars as one tensor `[N]`, in their order; the scalars stay the caller's. */
export function stackScalars(scalars: Readonly<Record<string, tf.Tensor>>): tf.Tensor1D {
  const tensors = Object.values(scalars);
  return tf.tidy(() => tf.stack(tensors.map((t) => t.reshape([]).toFloat()))) as tf.Tensor1D;
}

/**
 * Reads scalars that were stacked, by name, in one device read and disposes the tensor, also when the read fails.
 * This is the one readback of a training step.
 */
export async function readStacked<K extends string>(
  names: readonly K[],
  stacked: tf.Tensor1D,
): Promise<Record<K, number>> {
  try {
    const values = await stacked.data();
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<K, number>;
  } finally {
    stacked.dispose();
  }
}

/** Reads named scalars in one device read and disposes them, also when the read fails. */
export async function readScalars<K extends string>(
  scalars: Record<K, tf.Tensor>,
): Promise<Record<K, number>> {
  const names = Object.keys(scalars) as K[];
  if (names.length === 0) return {} as Record<K, number>;
  try {
    return await readStacked(names, stackScalars(scalars));
  } finally {
    disposeAll(Object.values<tf.Tensor>(scalars));
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
