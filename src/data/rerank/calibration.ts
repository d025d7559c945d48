const bins = 10;

/**
 * Expected calibration error: how far probabilities are from the shares that come true, over ten equally
 * wide bins.
 *
 *     Σ_b n_b / n · |mean probability of b − mean outcome of b|
 *
 * From 0 to 1. Source: Naeini et al. 2015 (doi 10.1609/aaai.v29i1.9602).
 *
 * @param outcomes 1 where it came true, 0 where not; or the probability with which it does
 */
export function calibrationError(
  probabilities: readonly number[],
  outcomes: readonly number[],
): number {
  const sums = Array.from({ length: bins }, () => 0);
  for (const [i, p] of probabilities.entries()) {
    const bin = Math.min(bins - 1, Math.floor(p * bins));
    sums[bin] = (sums[bin] as number) + p - (outcomes[i] as number);
  }
  const gap = sums.reduce((total, sum) => total + Math.abs(sum), 0);
  return gap / Math.max(1, probabilities.length);
}
