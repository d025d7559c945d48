import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../define.js";

const norm = defineKernel<Record<string, tf.Tensor>, object>("PupilGlobalNorm", (tensors) => {
  // Row sums first: one long float32 sum would lose digits.
  const sums = Object.values(tensors).map((t) =>
    t
      .reshape([-1, t.shape[t.rank - 1] ?? 1])
      .square()
      .sum(1)
      .sum(),
  );
  return [tf.stack(sums).sum().sqrt()];
});

/** Euclidean norm of all tensors together, `√Σ x²`: NaN or infinite if any entry is. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (tensors.length === 0) return tf.scalar(0);
  return norm(Object.fromEntries(tensors.map((t, i) => [`t${i}`, t])), {})[0] as tf.Scalar;
}
