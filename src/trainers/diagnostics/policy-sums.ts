import * as tf from "@tensorflow/tfjs-core";
import type { LossInputs, LossTerm } from "../../losses/index.js";

type Policies = Partial<Pick<LossInputs, "tokenLogProbs" | "oldTokenLogProbs" | "advantages">> & {
  /** Log-probabilities of the tokens under a frozen reference. */
  readonly reference?: tf.Tensor2D | undefined;
};

/**
 * Sums over the tokens that the student sampled, of how far it has come from the policy that sampled
 * them and from its reference:
 *
 * - `ratioMean` ρ = π(y) / π_old(y), 1 on the first update after sampling;
 * - `clipFraction` 1 where the clipping of policy-gradient takes the gradient away;
 * - `referenceKl` e^(−d) − 1 + d with d = log π(y) − log π_ref(y): as a value an unbiased estimate of
 *   KL(student ‖ reference) that is never below 0.
 *
 * @param sampledTokens `[B, T]`, 1 for those tokens
 */
export function policySums(
  { tokenLogProbs, oldTokenLogProbs, advantages, reference }: Policies,
  terms: readonly LossTerm[],
  sampledTokens: () => tf.Tensor2D,
): Record<string, tf.Scalar> {
  if (tokenLogProbs === undefined) return {};
  const mask = sampledTokens();
  const sum = (values: tf.Tensor) =>
    tf.where(mask.notEqual(0), values, tf.zerosLike(values)).sum() as tf.Scalar;
  const sums: Record<string, tf.Scalar> = {};
  if (oldTokenLogProbs !== undefined) {
    const ratio = tokenLogProbs.sub(oldTokenLogProbs).minimum(20).exp();
    sums["ratioMean"] = sum(ratio);
    const clip = terms.find(({ definition }) => definition.name === "policy-gradient")?.config;
    if (clip !== undefined && advantages !== undefined) {
      const { clipLow, clipHigh } = clip as { clipLow: number | null; clipHigh: number | null };
      const tooHigh = ratio.greater(1 + (clipHigh ?? Infinity)).logicalAnd(advantages.greater(0));
      const tooLow = ratio.less(1 - (clipLow ?? 1)).logicalAnd(advantages.less(0));
      sums["clipFraction"] = sum(tooHigh.logicalOr(tooLow).toFloat());
    }
  }
  if (reference !== undefined) {
    const d = tokenLogProbs.sub(reference);
    sums["referenceKl"] = sum(d.neg().minimum(20).exp().sub(1).add(d));
  }
  return sums;
}
