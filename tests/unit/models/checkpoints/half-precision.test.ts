import { expect, test } from "vitest";
import {
  fromBfloat16,
  fromFloat16,
  toBfloat16,
  toFloat16,
} from "../../../../src/models/checkpoints/half-precision.js";

const largestHalf = 0x7bff;
const infinity = 0x7c00;

test("known halves", () => {
  const pairs: [number, number][] = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ];
  for (const [half, value] of pairs) {
    expect(fromFloat16(half)).toBe(value);
    expect(toFloat16(value)).toBe(half);
  }
  expect(Object.is(fromFloat16(0x8000), -0)).toBe(true);
  expect(toFloat16(-0)).toBe(0x8000);
  // Quiet, as hardware makes it.
  expect(toFloat16(Number.NaN) & 0x7fff).toBe(0x7e00);
});

test("every half survives the way to a number and back; every NaN stays one", () => {
  for (let half = 0; half <= 0xffff; half++) {
    const value = fromFloat16(half);
    if (Number.isNaN(value)) {
      expect(toFloat16(value) & 0x7fff).toBeGreaterThan(infinity);
    } else if (toFloat16(value) !== half) {
      expect(toFloat16(value), `half ${half}`).toBe(half);
    }
  }
});

test("between two halves the nearer one is taken, and the even one in the middle", () => {
  const failures: number[] = [];
  for (let half = 0; half <= largestHalf; half++) {
    const low = fromFloat16(half);
    // The step that would follow the largest half is what rounding to infinity is measured by.
    const high = half === largestHalf ? 65536 : fromFloat16(half + 1);
    const middle = (low + high) / 2;
    const below = Math.fround(low + (high - low) * 0.499);
    const above = Math.fround(low + (high - low) * 0.501);
    const even = half % 2 === 0 ? half : half + 1;
    const isRight =
      toFloat16(middle) === even &&
      toFloat16(below) === half &&
      toFloat16(above) === half + 1 &&
      toFloat16(-middle) === (0x8000 | even) &&
      toFloat16(-above) === (0x8000 | (half + 1));
    if (!isRight) failures.push(half);
  }
  expect(failures).toEqual([]);
});

test("tiny values go to zero with their sign, large ones to infinity", () => {
  expect(toFloat16(2 ** -25)).toBe(0);
  expect(toFloat16(-(2 ** -26))).toBe(0x8000);
  expect(toFloat16(Math.fround(2 ** -25 * 1.0001))).toBe(1);
  expect(toFloat16(65519)).toBe(largestHalf);
  for (const value of [65520, 65536, 1e30, 3.4e38]) expect(toFloat16(value)).toBe(infinity);
});

test("bfloat16 is the upper half of a float32", () => {
  expect(fromBfloat16(0x3f80)).toBe(1);
  expect(fromBfloat16(0xc049)).toBe(-3.140625);
  expect(fromBfloat16(0x0001)).toBe(2 ** -133);
  expect(fromBfloat16(0x7f80)).toBe(Number.POSITIVE_INFINITY);
  expect(fromBfloat16(0x7fc0)).toBeNaN();
});

test("a NaN stays the quiet one that it is", () => {
  expect([toBfloat16(Number.NaN), toFloat16(Number.NaN)]).toEqual([0x7fc0, 0x7e00]);
});

test("every bfloat16 survives the way to a number and back; every NaN stays one", () => {
  const failures: number[] = [];
  for (let half = 0; half <= 0xffff; half++) {
    const value = fromBfloat16(half);
    const back = toBfloat16(value);
    const isRight = Number.isNaN(value) ? (back & 0x7fff) > 0x7f80 : back === half;
    if (!isRight) failures.push(half);
  }
  expect(failures).toEqual([]);
});

test("between two bfloat16 the nearer one is taken, and the even one in the middle", () => {
  expect(toBfloat16(1 + 2 ** -8)).toBe(0x3f80);
  expect(toBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
  expect(toBfloat16(Math.fround(1 + 2 ** -8 + 2 ** -20))).toBe(0x3f81);
  expect(toBfloat16(-(1 + 3 * 2 ** -8))).toBe(0xbf82);
  expect(toBfloat16(3.4e38)).toBe(0x7f80);
  expect(toBfloat16(3.38e38)).toBe(0x7f7e);
});
