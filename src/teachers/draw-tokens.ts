import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../data/index.js";
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

/**
 * Uniforms `[B, T, K]` that depend on the sequence and the position in it alone, not on B, T, padding
 * or what shares its row; 0 at padding.
 *
 * @param firstRow index in the step of the batch's first sequence
 */
export function sequenceUniforms(
  random: Random,
  firstRow: number,
  { sequences, size: B, sequenceLength: T }: Batch,
  K: number,
): tf.Tensor3D {
  const values = new Float32Array(B * T * K);
  for (const [i, { ids, row, start }] of sequences.entries()) {
    const stream = random.stream("teacher-draws", firstRow + i);
    const first = (row * T + start) * K;
    for (let j = 0; j < (ids.length - 1) * K; j++) values[first + j] = stream.uniform();
  }
  return tf.tensor3d(values, [B, T, K]);
}
