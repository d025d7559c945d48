import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../tensors/index.js";

/** The largest float32 below 1. */
const mostBelowOne = 1 - 2 ** -24;

const uniformOf = (random: Random, sequenceId: number, position: number) =>
  Math.min(random.stream(sequenceId, position).uniform(), mostBelowOne);

/**
 * One uniform in (0, 1) per row, `[B]`, for `sampleTokens`. A row's number depends only on its
 * sequence and position, not on its place in a batch.
 */
export function sampleUniforms(
  random: Random,
  sequenceIds: readonly number[],
  position: number,
): tf.Tensor1D {
  const uniforms = sequenceIds.map((sequenceId) => uniformOf(random, sequenceId, position));
  return tf.tensor1d(uniforms, "float32");
}

/** Those of `steps` positions from `position` on, `[steps, B]`. */
export function uniformsAhead(
  random: Random,
  sequenceIds: readonly number[],
  position: number,
  steps: number,
): tf.Tensor2D {
  const rows = sequenceIds.length;
  const uniforms = Float32Array.from({ length: steps * rows }, (_, i) =>
    uniformOf(random, sequenceIds[i % rows] as number, position + Math.floor(i / rows)),
  );
  return tf.tensor2d(uniforms, [steps, rows]);
}
