/** Middle value; the mean of the middle two of an even number. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("The median of no values is not defined.");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** How often to repeat something of `unitMs` so that it takes about `wantedMs`. */
export function repeatsFor(unitMs: number, wantedMs: number, most: number): number {
  return Math.min(most, Math.max(1, Math.round(wantedMs / Math.max(unitMs, 1e-3))));
}

/** The largest of |a − b| / max(|a|, |b|) over two lists, up to the length of the shorter one. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  let largest = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    const difference = x === y ? 0 : Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
    // A value that is not a number must not pass.
    largest = Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }
  return largest;
}
