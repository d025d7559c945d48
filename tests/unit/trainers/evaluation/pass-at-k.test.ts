import fc from "fast-check";
import { expect, test } from "vitest";
import {
  majorityIsRight,
  passAtK,
  reportedK,
} from "../../../../src/trainers/evaluation/pass-at-k.js";

test("pass@k is the share of all choices of k completions with a right one", () => {
  // 4 completions, 1 right: of the 6 pairs 3 have it.
  expect(passAtK(4, 1, 2)).toBeCloseTo(0.5, 12);
  expect(passAtK(4, 1, 1)).toBeCloseTo(0.25, 12);
  expect(passAtK(4, 1, 4)).toBe(1);
  expect(passAtK(4, 0, 4)).toBe(0);
  expect(passAtK(5, 2, 3)).toBeCloseTo(1 - 1 / 10, 12);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.nat(8),
      fc.integer({ min: 1, max: 8 }),
      (n, c, k) => {
        fc.pre(c <= n && k <= n);
        const sets = Array.from({ length: 2 ** n }, (_, bits) => bits).filter(
          (bits) => bits.toString(2).replaceAll("0", "").length === k,
        );
        const withRight = sets.filter((bits) => (bits & (2 ** c - 1)) !== 0).length;
        expect(passAtK(n, c, k)).toBeCloseTo(withRight / sets.length, 10);
      },
    ),
  );
});

test("the majority is of answers, and shares are of ties", () => {
  const given = (text: string) =>
    [...text].map((answer) => ({
      answer: answer === "-" ? undefined : answer,
      correct: answer === "a",
    }));
  expect(majorityIsRight(given("aab"))).toBe(1);
  expect(majorityIsRight(given("abb"))).toBe(0);
  expect(majorityIsRight(given("ab"))).toBe(0.5);
  expect(majorityIsRight(given("---a"))).toBe(1);
  expect(majorityIsRight(given("--"))).toBe(0);
});

test("the k that are reported are powers of two and n", () => {
  expect(reportedK(1)).toEqual([1]);
  expect(reportedK(4)).toEqual([1, 2, 4]);
  expect(reportedK(6)).toEqual([1, 2, 4, 6]);
});
