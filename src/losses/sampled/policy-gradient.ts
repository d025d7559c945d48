import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { aggregationFields, aggregationOf } from "../aggregation.js";
import { defineLoss } from "../define.js";
import { stopGradient } from "../stop-gradient.js";
import { importanceRatio } from "../importance-ratio.js";

export interface PolicyGradientOptions {
  /** The ratio counts as at least 1 − clipLow; null does not clip. Default 0.2. */
  readonly clipLow?: number | null;
  /** The ratio counts as at most 1 + clipHigh; null does not clip. Default 0.2. */
  readonly clipHigh?: number | null;
  /** With A < 0 the ratio counts as at most this, which is above 1 + clipHigh; null does not clip. Default null. */
  readonly dualClip?: number | null;
}

/** Above every ratio, and still a float32. */
const unlimited = 1e38;

/**
 * Policy gradient on sampled tokens with a clipped importance ratio (PPO, GRPO), per token.
 *
 *     −min(ρ A, clip(ρ, 1 − clipLow, 1 + clipHigh) A),   ρ = π(y) / π_old(y)
 *
 * With `dualClip` = c the value of a token with A < 0 is at most −c A: one that the student has become much
 * likelier to write since it was sampled (ρ > c) has no gradient, where it would have a very large one.
 *
 * A token with A > 0 becomes likelier, until ρ reaches 1 + clipHigh. Where ρ = 1 the gradient with
 * respect to log π(y) is −A, whatever the clipping. log ρ above 20 counts as 20. No gradient flows
 * into the advantages or the old log-probabilities. The value says nothing by itself: with
 * advantages that average 0 it starts near 0.
 *
 * @param tokenLogProbs `[B, T]`, log π(y)
 * @param oldTokenLogProbs `[B, T]`, log π_old(y), from when the token was sampled
 * @param advantages `[B, T]`
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/1707.06347, equation 7; unequal clipping: https://arxiv.org/abs/2503.14476;
 *   dual clipping: https://arxiv.org/abs/1912.09729
 */
export function policyGradient(
  tokenLogProbs: tf.Tensor2D,
  oldTokenLogProbs: tf.Tensor2D,
  advantages: tf.Tensor2D,
  options: PolicyGradientOptions = {},
): tf.Tensor2D {
  const { clipLow = 0.2, clipHigh = 0.2, dualClip = null } = options;
  assertShape(
    { tokenLogProbs, oldTokenLogProbs, advantages },
    { tokenLogProbs: "B T", oldTokenLogProbs: "B T", advantages: "B T" },
  );
  return tf.tidy(() => {
    const ratio = importanceRatio(tokenLogProbs, oldTokenLogProbs);
    const gain = stopGradient(advantages);
    const lowest = clipLow === null ? 0 : 1 - clipLow;
    const highest = clipHigh === null ? unlimited : 1 + clipHigh;
    const clipped = ratio.clipByValue(lowest, highest);
    const worth = tf.minimum(ratio.mul(gain), clipped.mul(gain));
    if (dualClip === null) return tf.sub(0, worth);
    const floor = tf.where(gain.less(0), gain.mul(dualClip), tf.fill(gain.shape, -unlimited));
    return tf.sub(0, tf.maximum(worth, floor));
  });
}

const clipField = () => z.number().min(0).nullable().default(0.2);

export const policyGradientLoss = defineLoss({
  name: "policy-gradient",
  summary:
    "Clipped policy gradient on sampled tokens: makes those with a positive advantage likelier.",
  formula:
    "−min(ρ A, clip(ρ, 1 − clipLow, 1 + clipHigh) A), with dualClip at most −dualClip A where A < 0; ρ = exp(log π(y) − log π_old(y))",
  reference: "https://arxiv.org/abs/1707.06347 (equation 7)",
  whenToUse:
    "Rewards instead of, or beside, a teacher; or a teacher that gives one log-probability per token, as an advantage.",
  failureSignature:
    "Entropy falls to 0 and all samples of a prompt are alike, so the advantages are 0 and nothing moves; or samples grow without end with aggregation sequence. Remedy: a larger clipHigh, a KL term, aggregation token.",
  per: "token",
  needs: ["tokenLogProbs", "oldTokenLogProbs", "advantages"],
  config: z.strictObject({
    clipLow: clipField().describe("The ratio counts as at least 1 − clipLow; null: no limit."),
    clipHigh: clipField().describe("The ratio counts as at most 1 + clipHigh; null: no limit."),
    dualClip: z
      .number()
      .gt(1)
      .nullable()
      .default(null)
      .describe(
        "With an advantage below 0 the ratio counts as at most this (AMPO: 10); null: no limit.",
      ),
    ...aggregationFields(
      "token: mean over all tokens. sequence: mean of each row's tokens, then over rows. fixed-length: each row's sum / fixedLength, then over rows.",
    ),
  }),
  properties: {},
  examples: [
    {},
    { clipLow: 0.1, clipHigh: 0.3, aggregation: "sequence" },
    { dualClip: 1.3, clipHigh: 0.1 },
    { clipLow: null, clipHigh: null, aggregation: "fixed-length", fixedLength: 4 },
  ],
  aggregation: aggregationOf,
  evaluate: ({ tokenLogProbs, oldTokenLogProbs, advantages }, config) =>
    policyGradient(tokenLogProbs, oldTokenLogProbs, advantages, config),
});
