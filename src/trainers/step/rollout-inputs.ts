import * as tf from "@tensorflow/tfjs-core";
import type { Batch, PlacedSequence } from "../../data/index.js";
import type { LossInputs } from "../../losses/index.js";
import type { Rollout } from "../../rollouts/index.js";
import type { TeacherScores, TeacherTensors } from "../../teachers/index.js";
import { HostValues } from "../../tensors/index.js";

/** Loss inputs that come from sampling, `[B, T]`, 0 wherever the student sampled nothing. */
export type RolloutInputs = Partial<
  Pick<LossInputs, "oldTokenLogProbs" | "advantages" | "guidedAdvantages">
>;

/** What is known of a micro-batch from when its rows were sampled. Owns what it holds. */
export interface KnownRollouts extends Pick<TeacherScores, "source" | "dispose"> {
  /** To be called inside the memory scope. */
  inputs(teacher: Partial<TeacherTensors>): RolloutInputs;
}

/**
 * What the losses can read about the rows that the student sampled: the log-probabilities of then
 * and, where the teacher has scored the tokens, advantages.
 *
 * @param rollouts of the first sequences of the batch
 * @param discount see {@link teacherAdvantages}; 0 for a packed batch
 */
export function knownRollouts(
  batch: Batch,
  rollouts: readonly Rollout[],
  discount: number,
): KnownRollouts {
  const known = new HostValues(() => {
    const { tokens, logProbs } = sampledTokens(batch, rollouts);
    const { shape } = batch.labels;
    return { oldTokenLogProbs: tf.tensor2d(logProbs, shape), tokens: tf.tensor2d(tokens, shape) };
  });
  return {
    inputs: ({ teacherTokenLogProbs }) =>
      tf.tidy(() => {
        const { oldTokenLogProbs, tokens } = known.tensors();
        if (teacherTokenLogProbs === undefined) return { oldTokenLogProbs };
        // A teacher may have no signal about some of the sampled tokens.
        const mask = tokens.mul<tf.Tensor2D>(batch.completionMask);
        const given = [teacherTokenLogProbs, oldTokenLogProbs, mask] as const;
        return { oldTokenLogProbs, advantages: teacherAdvantages(...given, discount) };
      }),
    source: () => ({
      ...{ by: knownRollouts, how: `discount ${discount}` },
      reads: known.reads(),
    }),
    dispose: () => known.dispose(),
  };
}

/** Where the sampled tokens are in the batch, 1 or 0, and their log-probabilities. */
function sampledTokens(
  { size, sequenceLength: T, sequences }: Batch,
  rollouts: readonly Rollout[],
): { tokens: Float32Array; logProbs: Float32Array } {
  const tokens = new Float32Array(size * T);
  const logProbs = new Float32Array(size * T);
  for (const [i, { promptIds, tokenLogProbs }] of rollouts.entries()) {
    const { row, start } = sequences[i] as PlacedSequence;
    // Position t predicts token t + 1 of the sequence.
    const first = row * T + start + promptIds.length - 1;
    tokens.fill(1, first, first + tokenLogProbs.length);
    logProbs.set(tokenLogProbs, first);
  }
  return { tokens, logProbs };
}

/**
 * Advantages that make a policy gradient the gradient of the reverse KL on sampled tokens.
 *
 *     r_t = log T(y_t) − log S_old(y_t),   A_t = Σ_{k ≥ t} γ^(k−t) r_k
 *
 * With γ = 0 each token answers for itself alone, which has the mean gradient of reverse-kl. Above 0
 * a token also answers for where it leads, at the price of variance.
 *
 * @param teacherTokenLogProbs `[B, T]`
 * @param oldTokenLogProbs `[B, T]`
 * @param mask `[B, T]`, 1 for sampled tokens
 * @param discount γ, from 0 to 1
 * @see MiniLLM, https://arxiv.org/abs/2306.08543
 */
export function teacherAdvantages(
  teacherTokenLogProbs: tf.Tensor2D,
  oldTokenLogProbs: tf.Tensor2D,
  mask: tf.Tensor2D,
  discount: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const gain = teacherTokenLogProbs.sub(oldTokenLogProbs);
    const rewards = tf.where(mask.notEqual(0), gain, tf.zerosLike(gain)) as tf.Tensor2D;
    if (discount === 0) return rewards;
    const T = rewards.shape[1];
    const powers = Float32Array.from({ length: T * T }, (_, i) => {
      const [k, t] = [Math.floor(i / T), i % T];
      return k >= t ? discount ** (k - t) : 0;
    });
    return tf.matMul(rewards, tf.tensor2d(powers, [T, T])).mul(mask);
  });
}
