/**
 * How far a loss may rise before a training counts as diverged: by three nats and three times what it was
 * at the start. A batch that is harder than the first, or another mixture of data, stays far below.
 */
function isFarAbove(now: number, start: number, nats: number): boolean {
  return !(now <= start + 3 * Math.abs(start) + nats);
}

/**
 * By how many nats a forward KL has to rise besides. A student that leaves modes of its teacher out, as the
 * reverse KL has it do, gives them e^−30 at the least; below e^−50 on average its logits have exploded.
 */
export const explodedNats = 50;

const rounded = (value: number) => String(Number(value.toPrecision(4)));

/** Which of some losses is far above its start, in words; undefined if none is. */
export function divergence(
  now: Readonly<Record<string, number>>,
  start: Readonly<Record<string, number>>,
  nats = 3,
): string | undefined {
  for (const [name, value] of Object.entries(now)) {
    const first = start[name];
    if (first === undefined || !isFarAbove(value, first, nats)) continue;
    return `${name} has risen from ${rounded(first)} to ${rounded(value)}: the training diverges`;
  }
  return undefined;
}
