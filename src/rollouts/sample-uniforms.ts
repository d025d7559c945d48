import * as tf from "@tensorflow/tfjs";
import type { Random } from "../tensors/index.js";

/** The largest float32 below 1. */
const mostBelowOne = 1 - 2 ** -24;

/**
 * One uniform in (0, 1) per row, `[B]`, for `sampleTokens`. A row's number depends only on its
 * sequence and position, not on its place in a batch.
 */
export function sampleUniforms(
  random: Random,
  sequenceIds: readonly number[],
  position: number,
): tf.Tensor1D {
  const uniforms = sequenceIds.map((sequenceId) =>
    Math.min(random.stream(sequenceId, position).uniform(), mostBelowOne),
  );
  return tf.tensor1d(uniforms, "float32");
}
