/**
 * Advantages of tokens with mean 0 and standard deviation 1 over all tokens of all completions; where
 * all are equal, 0.
 *
 * @param advantages per completion and token
 */
export function whiten(advantages: readonly (readonly number[])[]): number[][] {
  const all = advantages.flat();
  const mean = all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length);
  const variance =
    all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, all.length);
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  return advantages.map((tokens) => tokens.map((value) => (value - mean) * scale));
}
