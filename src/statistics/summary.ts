/** Σ x / n; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Unbiased sample variance Σ (x − x̄)² / (n − 1); 0 of a single value. */
export function sampleVariance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
}

/** Standard error of the mean, √(s² / n); 0 of a single value, which tells nothing of it. */
export function standardError(values: readonly number[]): number {
  return Math.sqrt(sampleVariance(values) / values.length);
}

/**
 * The p-quantile of sorted values, 0 ≤ p ≤ 1, linear between neighbours (type 7 of Hyndman and Fan
 * 1996, what numpy does).
 */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(sorted.length - 1, below + 1)] as number;
  return low + (position - below) * (high - low);
}
