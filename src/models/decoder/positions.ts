import * as tf from "@tensorflow/tfjs-core";
import { positionIds } from "../../ops/index.js";

/**
 * Position of every new token `[B, T]` int32: the number of real tokens before it, so that padding
 * on the left does not shift a sequence; padded positions before the first token get 0.
 */
export function defaultPositionIds(
  inputIds: tf.Tensor2D,
  attentionMask: tf.Tensor2D | undefined,
  numCached: number,
): tf.Tensor2D {
  const [batch, length] = inputIds.shape;
  return tf.tidy(() => {
    if (attentionMask === undefined) {
      const row = tf.range(numCached, numCached + length, 1, "int32");
      return tf.tile(row.expandDims(0), [batch, 1]) as tf.Tensor2D;
    }
    return positionIds(attentionMask, numCached);
  });
}
