import { describe, expect, test } from "vitest";
import {
  areaUnderCurve,
  contrast,
  derivedEstimate,
  gapRecovered,
  judgeDerived,
  monotonicity,
  rankCorrelation,
  pairedDifference,
  type SeedValues,
} from "../../../src/statistics/index.js";
import { Random } from "../../../src/tensors/index.js";

const random = new Random(1);
const options = { random, resamples: 500 };

test("a gap is recovered by the share of it that an arm makes up", () => {
  expect(gapRecovered(0.8, 0.2, 1)).toBeCloseTo(0.75, 12);
  expect(gapRecovered(0.1, 0.2, 1)).toBeCloseTo(-0.125, 12);
  // No gap, but for rounding; and one of the other direction.
  expect(gapRecovered(0.5, 0.1 + 0.2, 0.3)).toBeNaN();
  expect(gapRecovered(0.5, 0.3, 0.2, -1)).toBeCloseTo(-2, 12);
  expect(gapRecovered(0.5, 0.3, 0.2, 1)).toBeNaN();
});

test("a rank correlation counts pairs in the same and in opposite order; ties are neither", () => {
  expect(rankCorrelation([0.1, 0.2, 0.9], [7, 8, 9])).toBe(1);
  expect(rankCorrelation([0.1, 0.2, 0.9], [9, 8, 7])).toBe(-1);
  // Of six pairs one is turned round.
  expect(rankCorrelation([4, 1, 3, 2], [4, 2, 3, 1])).toBeCloseTo(4 / 6, 12);
  expect(rankCorrelation([1, 2, 3], [1, 1, 2])).toBeCloseTo(2 / 3, 12);
  expect(rankCorrelation([1, 1], [1, 2])).toBe(0);
});

test("monotonicity counts pairs that rise and fall; ties are neither", () => {
  expect(monotonicity([1, 2, 3])).toBe(1);
  expect(monotonicity([3, 2, 1])).toBe(-1);
  expect(monotonicity([1, 3, 2])).toBeCloseTo(1 / 3, 12);
  expect(monotonicity([1, 1, 2])).toBeCloseTo(2 / 3, 12);
});

test("the area under a curve is its mean height, wherever its points are", () => {
  const points = [
    { x: 0, y: 0 },
    { x: 10, y: 1 },
    { x: 40, y: 1 },
  ];
  expect(areaUnderCurve(points)).toBeCloseTo(35 / 40, 12);
  expect(areaUnderCurve([{ x: 5, y: 0.3 }])).toBe(0.3);
  expect(areaUnderCurve([])).toBeNaN();
});

describe("the interval of a derived measure", () => {
  const arm: SeedValues = [
    [1, 0, 1, 1],
    [1, 1, 1, 0],
    [0, 1, 1, 1],
  ];
  const other: SeedValues = [
    [0, 0, 1, 0],
    [1, 0, 0, 0],
    [0, 1, 0, 1],
  ];

  test("of a difference is that of the paired difference", () => {
    const paired = pairedDifference(arm, other, options);
    const found = derivedEstimate([arm, other], (means) => contrast([1, -1], means), options);
    expect(found.value).toBeCloseTo(paired.difference, 12);
    expect(found.low).toBeCloseTo(paired.low as number, 12);
    expect(found.high).toBeCloseTo(paired.high as number, 12);
  });

  test("is absent with one seed, and where a resample has no value", () => {
    const one = derivedEstimate([arm.slice(0, 1)], ([a]) => a as number, options);
    expect(one).toEqual({ value: 0.75, seeds: 1 });
    const ratio = (means: readonly number[]) => (means[0] as number) / (means[1] as number);
    const rare: SeedValues = [[0, 0, 0, 1], [0], [0]];
    expect(derivedEstimate([arm, rare], ratio, options)).not.toHaveProperty("low");
  });

  test("needs the same seeds in all columns", () => {
    expect(() => derivedEstimate([arm, other.slice(1)], () => 0, options)).toThrow(
      /no common seeds: 3, 2/,
    );
  });
});

test("a border is a place on either side of 0", () => {
  const judge = (direction: "higher" | "lower", margin: number, low: number, high: number) =>
    judgeDerived({ direction, margin }, { low, high });
  expect(judge("higher", 0.5, 0.6, 0.9)).toBe("supported");
  expect(judge("higher", 0.5, 0.1, 0.4)).toBe("contradicted");
  expect(judge("lower", 0.5, 0.1, 0.4)).toBe("supported");
  expect(judge("lower", 0.5, 0.6, 0.9)).toBe("contradicted");
  expect(judge("lower", 0.5, 0.4, 0.6)).toBe("cannot tell");
});
