import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../define.js";

const kernel = defineKernel<{ attentionMask: tf.Tensor2D }, { numCached: number }>(
  "PupilPositionIds",
  ({ attentionMask }, { numCached }) => {
    // Counted in float32: exact below 2^24, and every backend has that kernel.
    const counts = tf.cumsum(attentionMask.toFloat(), 1) as tf.Tensor2D;
    return [tf.relu(counts.sub(1)).slice([0, numCached], [-1, -1]).toInt()];
  },
);

/**
 * Position of every token from the `numCached`-th column of a mask `[B, S]` on, `[B, S − numCached]` int32: the number of
 * columns before it that are 1, so that padding on the left does not shift a sequence; padded positions before the
 * first token get 0.
 */
export function positionIds(attentionMask: tf.Tensor2D, numCached: number): tf.Tensor2D {
  return kernel({ attentionMask }, { numCached })[0] as tf.Tensor2D;
}
