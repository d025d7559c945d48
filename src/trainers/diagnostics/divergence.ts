/**
 * How far a loss may rise before a training counts as diverged: by three nats and three times what it was
 * at the start. A batch that is harder than the first, or another mixture of data, stays far below.
 */
function isFarAbove(now: number, start: number): boolean {
  return !(now <= start + 3 * Math.abs(start) + 3);
}

const rounded = (value: number) => String(Number(value.toPrecision(4)));

/** Which of some losses is far above its start, in words; undefined if none is. */
export function divergence(
  now: Readonly<Record<string, number>>,
  start: Readonly<Record<string, number>>,
): string | undefined {
  for (const [name, value] of Object.entries(now)) {
    const first = start[name];
    if (first === undefined || !isFarAbove(value, first)) continue;
    return `${name} has risen from ${rounded(first)} to ${rounded(value)}: the training diverges`;
  }
  return undefined;
}
