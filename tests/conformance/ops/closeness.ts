import { expect } from "vitest";

/**
 * Fails unless every entry is within `absolute + relative · |expected|`; names the worst one.
 * NaN is never close.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bounds: { readonly absolute: number; readonly relative: number },
  what: string,
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  let worst = { index: -1, excess: 0 };
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    const bound = bounds.absolute + bounds.relative * Math.abs(e);
    const ratio = Math.abs(a - e) / bound;
    const excess = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
    if (excess > worst.excess) worst = { index: i, excess };
  }
  if (worst.excess > 1) {
    const { index, excess } = worst;
    const times = excess.toPrecision(3);
    expect.fail(
      `${what}: entry ${index} is ${actual[index]}, expected ${expected[index]} ` +
        `(${times} times the bound of ${bounds.absolute} + ${bounds.relative}·|expected|)`,
    );
  }
}
