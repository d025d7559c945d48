import { expect, test } from "vitest";
import { largestDifference, median, repeatsFor } from "../../../bench/statistics.js";

test("the median is the middle value, or the mean of the middle two", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 1, 2, 4])).toBe(3);
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
  expect(() => median([])).toThrow("no values");
});

test("repeats fill the wanted time, within their bounds", () => {
  expect(repeatsFor(100, 500, 40)).toBe(5);
  expect(repeatsFor(2600, 500, 40)).toBe(1);
  expect(repeatsFor(0, 500, 40)).toBe(40);
});

test("the difference of two lists is relative to the larger value, and NaN is far from everything", () => {
  expect(largestDifference([1, 2, 0], [1, 2.5, 0, 7])).toBeCloseTo(0.2);
  expect(largestDifference([1], [Number.NaN])).toBe(Infinity);
  expect(largestDifference([], [1])).toBe(0);
});
