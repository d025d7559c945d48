import * as tf from "@tensorflow/tfjs";
import { assertShape, type Random } from "../tensors/index.js";
import type { SamplingPolicy } from "./sampling-policy.js";

const excluded = -1e30;

/**
 * Next token of every row, by the Gumbel-max trick: argmax(logits / τ + noise) is a sample of
 * softmax(logits / τ) if the noise is Gumbel distributed. As the noise is an argument, the same
 * noise gives the same tokens on every backend. Ties go to the lowest id.
 *
 * Top-k and top-p keep whatever ties with the last token they keep, so what is kept does not depend
 * on how a backend sorts equal values.
 *
 * @param logits `[B, V]`
 * @param noise `[B, V]` from {@link gumbelNoise}; not read by a greedy policy
 * @returns `[B]` int32
 * @see Gumbel-max: https://arxiv.org/abs/1411.0030; top-p: https://arxiv.org/abs/1904.09751
 */
export function sampleTokens(
  logits: tf.Tensor2D,
  policy: SamplingPolicy,
  noise?: tf.Tensor2D,
): tf.Tensor1D {
  if (policy.greedy) return firstArgMax(logits);
  if (noise === undefined) throw new Error("Sampling needs noise unless the policy is greedy.");
  assertShape({ logits, noise }, { logits: "B V", noise: "B V" });
  return tf.tidy(() => {
    const scaled = logits.div(policy.samplingTemperature) as tf.Tensor2D;
    return firstArgMax(truncate(scaled, policy).add(noise) as tf.Tensor2D);
  });
}

/**
 * Gumbel noise `[B, V]` for {@link sampleTokens}, made on the host. A row's noise depends only on
 * its sequence and position, not on its place in a batch.
 */
export function gumbelNoise(
  random: Random,
  vocabSize: number,
  sequenceIds: readonly number[],
  position: number,
): tf.Tensor2D {
  const noise = new Float32Array(sequenceIds.length * vocabSize);
  for (const [row, sequenceId] of sequenceIds.entries()) {
    const stream = random.stream(sequenceId, position);
    for (let v = 0; v < vocabSize; v++) {
      noise[row * vocabSize + v] = -Math.log(-Math.log(stream.uniform()));
    }
  }
  return tf.tensor2d(noise, [sequenceIds.length, vocabSize]);
}

/** Pushes what top-k and top-p leave out far below everything else. */
function truncate(scaled: tf.Tensor2D, { topK, topP }: SamplingPolicy): tf.Tensor2D {
  const vocabSize = scaled.shape[1];
  const limitsCount = topK > 0 && topK < vocabSize;
  if (!limitsCount && topP === 1) return scaled;
  const sorted = tf.topk(scaled, limitsCount ? topK : vocabSize).values as tf.Tensor2D;
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
  return tf.tidy(() => {
    const size = x.shape[1];
    const isMax = x.equal(x.max(1, true));
    const indices = tf.where(isMax, tf.range(0, size).expandDims(0).tile([x.shape[0], 1]), size);
    // Without a maximum (NaN) the index would be outside the vocabulary.
    return indices
      .min(1)
      .minimum(size - 1)
      .toInt() as tf.Tensor1D;
  });
}
