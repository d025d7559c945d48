import type * as tf from "@tensorflow/tfjs-core";
import type { TensorValues } from "./safetensors.js";

/** Tensors on the host, in their order; they stay the caller's. */
export async function readTensors(
  tensors: ReadonlyMap<string, tf.Tensor>,
): Promise<Map<string, TensorValues>> {
  // All reads start together, so that they see the weights of one moment.
  const entries = [...tensors].map(async ([name, tensor]): Promise<[string, TensorValues]> => {
    // A copy: some backends hand out the memory that a variable lives in.
    return [name, { shape: tensor.shape, data: Float32Array.from(await tensor.data<"float32">()) }];
  });
  return new Map(await Promise.all(entries));
}
