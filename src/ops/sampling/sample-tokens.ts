import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { crossEntropyRows } from "../row-losses/cross-entropy-from-logits.js";
import { defineKernel } from "../define.js";

/** How a token is chosen. Applied in this order: temperature, top-k, top-p. */
export interface SamplingSettings {
  readonly samplingTemperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  readonly greedy: boolean;
}

/** Logits `[B, V]`; uniforms `[B]` in (0, 1), not read by a greedy choice. */
export type SamplingTensors = { logits: tf.Tensor2D; uniforms?: tf.Tensor1D };

const excluded = -1e30;

/** `[2, B]`. */
const sample = defineKernel<SamplingTensors, SamplingSettings>(
  "PupilSampleTokens",
  ({ logits, uniforms }, settings) => {
    const ids =
      settings.greedy || uniforms === undefined
        ? firstArgMax(logits)
        : draw(truncate(logits.div(settings.samplingTemperature), settings), uniforms);
    const logProbs = crossEntropyRows.op({ logits, labels: ids }, { labelSmoothing: 0 }).neg();
    return [tf.stack([ids.toFloat(), logProbs])];
  },
);

/** The first token at which the cumulative probability exceeds the uniform. */
function draw(logits: tf.Tensor2D, uniforms: tf.Tensor1D): tf.Tensor1D {
  const size = logits.shape[1];
  const probabilities = tf.softmax(logits);
  const cumulative = tf.cumsum(probabilities, 1);
  const total = cumulative.slice([0, size - 1], [-1, 1]);
  // Where sums are taken in another order, rounding could let a token of probability 0 exceed it.
  const isBehind = cumulative
    .greater(uniforms.expandDims(1).mul(total))
    .logicalAnd(probabilities.greater(0));
  const first = firstTrue(isBehind as tf.Tensor2D);
  // Rounding can leave none.
  return tf.where(first.less(size), first, firstArgMax(logits).toFloat()).toInt() as tf.Tensor1D;
}

/** Pushes what top-k and top-p leave out far below everything else. */
function truncate(scaled: tf.Tensor2D, { topK, topP }: SamplingSettings): tf.Tensor2D {
  const size = scaled.shape[1];
  const limitsCount = topK > 0 && topK < size;
  if (!limitsCount && topP === 1) return scaled;
  const sorted = tf.topk(scaled, limitsCount ? topK : size).values as tf.Tensor2D;
  const lowestKept = topP < 1 ? lowestInNucleus(sorted, topP) : sorted.min(1, true);
  return tf.where(scaled.greaterEqual(lowestKept), scaled, tf.fill(scaled.shape, excluded));
}

/** The smallest logit `[B, 1]` of the nucleus; rows are sorted downwards. */
function lowestInNucleus(sorted: tf.Tensor2D, topP: number): tf.Tensor {
  // A token belongs to it if those before it hold less than topP; so the first always does.
  const before = tf.cumsum(tf.softmax(sorted), 1, true);
  const kept = before.less(topP);
  return tf.where(kept, sorted, tf.onesLike(sorted).mul(-excluded)).min(1, true);
}

/** Like `tf.argMax(x, 1)`, but the lowest index wins a tie on every backend. */
function firstArgMax(x: tf.Tensor2D): tf.Tensor1D {
  // Without a maximum (NaN) the index would be outside the vocabulary.
  return firstTrue(x.equal(x.max(1, true)))
    .minimum(x.shape[1] - 1)
    .toInt() as tf.Tensor1D;
}

/** Index of the first true entry of every row as float32; the row's length if there is none. */
function firstTrue(isTrue: tf.Tensor2D): tf.Tensor1D {
  const [rows, size] = isTrue.shape;
  const indices = tf.tile(tf.range(0, size).expandDims(0), [rows, 1]);
  return tf.where(isTrue, indices, tf.fill([rows, size], size)).min(1) as tf.Tensor1D;
}

/**
 * Next token of every row by inverting the cumulative distribution: the first token, in the order of
 * the vocabulary, at which it exceeds the row's uniform. The same uniforms give the same tokens on
 * every backend, up to roundings of the logits. A greedy choice takes the likeliest token; ties go to
 * the lowest id.
 *
 * Top-k and top-p keep whatever ties with the last token they keep, so what is kept does not depend
 * on how a backend sorts equal values.
 *
 * @returns `[2, B]`, so that one read gets both: ids as float32 (exact below 2^24), and their
 *   log-probabilities under the whole distribution at temperature 1
 * @see top-p: https://arxiv.org/abs/1904.09751
 */
export function sampleTokens(
  logits: tf.Tensor2D,
  settings: SamplingSettings,
  uniforms?: tf.Tensor1D,
): tf.Tensor2D {
  const { samplingTemperature, topK, topP, greedy } = settings;
  if (!greedy && uniforms === undefined) {
    throw new Error("Sampling needs uniforms unless it is greedy.");
  }
  const used = greedy || uniforms === undefined ? {} : { uniforms };
  assertShape({ logits, ...used }, { logits: "B V", ...(used.uniforms && { uniforms: "B" }) });
  const attributes = { samplingTemperature, topK, topP, greedy };
  return sample({ logits, ...used }, attributes)[0] as tf.Tensor2D;
}
