export interface RewardToGoOptions {
  /** γ, 0 to 1. */
  readonly discount: number;
  /** Divides by what the discounts sum to: the mean of what is left in place of its sum. Default: false. */
  readonly lengthNormalized?: boolean;
  /** Leaves out the token's own reward, for losses that have it as a term by itself. Default: false. */
  readonly afterToken?: boolean;
}

/**
 * What tokens lead to, from the rewards of single tokens.
 *
 *     R_t = Σ_{k ≥ t} γ^(k−t) r_k      and with lengthNormalized   R_t / Σ_{k ≥ t} γ^(k−t)
 *
 * with k > t in both sums for `afterToken`. Without the division long completions have larger
 * returns, and a student learns to be brief. The last token has nothing after it: 0.
 *
 * @param rewards of the tokens of one completion
 * @see MiniLLM, https://arxiv.org/abs/2306.08543 (equations 5 to 7)
 */
export function rewardToGo(
  rewards: readonly number[],
  { discount, lengthNormalized = false, afterToken = false }: RewardToGoOptions,
): number[] {
  const returns = rewards.map(() => 0);
  let sum = 0;
  let weights = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    const [laterSum, laterWeights] = [discount * sum, discount * weights];
    sum = (rewards[t] as number) + laterSum;
    weights = 1 + laterWeights;
    const [value, weight] = afterToken ? [laterSum, laterWeights] : [sum, weights];
    returns[t] = lengthNormalized ? (weight === 0 ? 0 : value / weight) : value;
  }
  return returns;
}

/**
 * An advantage of a whole completion as one per token, which the tokens share: γ^(N−1−t) of it, so
 * that with γ below 1 the last tokens answer for it most.
 */
export function spreadAdvantage(advantage: number, tokens: number, discount: number): number[] {
  return Array.from({ length: tokens }, (_, t) => advantage * discount ** (tokens - 1 - t));
}
