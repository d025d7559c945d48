import * as tf from "@tensorflow/tfjs-core";
import { maskedSum } from "../ops/index.js";
import type { Aggregation, ValuesPer } from "./define.js";

/**
 * Mean of the values where the mask is 1; 0 if it is 1 nowhere. For one batch alone: a training
 * step adds up {@link maskedSum} over its micro-batches and divides once by the count of them all.
 *
 * A masked value contributes exactly nothing and gets a gradient of exactly 0, also if it is NaN or infinite. (Logits that
 * are NaN there would still make a NaN of that 0 further back: padding must have finite logits, as every model's has.)
 */
export function maskedMean<T extends tf.Tensor2D | tf.Tensor1D>(values: T, mask: T): tf.Scalar {
  return tf.tidy(() => maskedSum(values, mask).div(tf.maximum(mask.sum(), 1)) as tf.Scalar);
}

/** How much each row of a batch adds to a mean, and by what the sum over all batches is divided. */
export interface RowWeights {
  /** Factor of every counted value of a row; 0 for a row that does not count. */
  readonly weights: readonly number[];
  /** What this batch adds to the divisor. */
  readonly count: number;
}

/**
 * Row weights of a mean over a batch. A row counts if it has a token that counts.
 *
 * Values per row `[B]`: the mean over rows. Values per token `[B, T]`:
 *   - `token`: every token counts the same, long rows count more;
 *   - `sequence`: mean of the row's tokens, then mean over rows (long rows' tokens count less);
 *   - fixed length L: Σ over the row / L, then mean over rows (Dr. GRPO, arXiv 2503.20783).
 *
 * @param tokensPerRow counted tokens of each row, 0 for a row that is to be left out
 */
export function rowWeights(
  per: ValuesPer,
  aggregation: Aggregation,
  tokensPerRow: readonly number[],
): RowWeights {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
  const counted = tokensPerRow.map((tokens) => (tokens > 0 ? 1 : 0));
  if (per === "row") return { weights: counted, count: sum(counted) };
  if (aggregation === "token") return { weights: counted, count: sum(tokensPerRow) };
  const lengthOf = (tokens: number) =>
    aggregation === "sequence" ? tokens : aggregation.fixedLength;
  const weights = tokensPerRow.map((tokens) => (tokens > 0 ? 1 / lengthOf(tokens) : 0));
  return { weights, count: sum(counted) };
}
