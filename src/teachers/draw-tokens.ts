import * as tf from "@tensorflow/tfjs";
import type { Random } from "../tensors/index.js";

/**
 * Tokens drawn with replacement from the distribution at every position, by inverting its cumulative
 * sum.
 *
 * @param probabilities `[B, T, V]`; need not sum to 1 exactly
 * @param uniforms `[B, T, K]`, in [0, 1]
 * @returns `[B, T, K]` int32
 */
export function drawTokens(probabilities: tf.Tensor3D, uniforms: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const [, , V] = probabilities.shape;
    const cumulative = tf.cumsum(probabilities, 2);
    const total = cumulative.slice([0, 0, V - 1], [-1, -1, 1]);
    // A uniform that float32 rounds to 1 must not point behind the last token of any mass.
    const thresholds = tf.split(uniforms.mul(total).mul(1 - 2 ** -23), uniforms.shape[2], 2);
    const draws = thresholds.map((threshold) =>
      cumulative
        .lessEqual(threshold)
        .toInt()
        .sum(2)
        .minimum(V - 1)
        .toInt(),
    );
    return tf.stack(draws, 2) as tf.Tensor3D;
  });
}

/** Uniforms `[B, T, K]` that depend on the row and the position alone, not on B, T or padding. */
export function rowUniforms(
  random: Random,
  firstRow: number,
  [B, T, K]: readonly [number, number, number],
): tf.Tensor3D {
  const values = new Float32Array(B * T * K);
  for (let row = 0; row < B; row++) {
    const stream = random.stream("teacher-draws", firstRow + row);
    for (let i = 0; i < T * K; i++) values[row * T * K + i] = stream.uniform();
  }
  return tf.tensor3d(values, [B, T, K]);
}
