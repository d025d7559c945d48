import { describe, expect, test } from "vitest";
import {
  pairedDifference,
  probabilityOfImprovement,
  type SeedValues,
  studentQuantile975,
} from "../../../src/statistics/index.js";
import { Random } from "../../../src/tensors/index.js";

const random = new Random(1);
const single = (values: readonly number[]): SeedValues => values.map((value) => [value]);
const zeros = (values: SeedValues): SeedValues => values.map((row) => row.map(() => 0));
const compare = (arm: SeedValues, options: object = {}) =>
  pairedDifference(arm, zeros(arm), { random, resamples: 500, ...options });

/** Standard normal numbers. */
function normals(count: number, stream: Random): number[] {
  return Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(stream.uniform()));
    return radius * Math.cos(2 * Math.PI * stream.uniform());
  });
}

test("the difference is that of pairs: what both arms share does not widen the interval", () => {
  const baseline = single([1, 50, 900, 3000]);
  const arm = single([1.9, 51.1, 901, 3001]);
  const found = pairedDifference(arm, baseline, { random, resamples: 2000 });
  expect(found.difference).toBeCloseTo(1, 12);
  expect(found.low).toBeGreaterThan(0.8);
  expect(found.high).toBeLessThan(1.2);
  expect(found.smallestVisible).toBeCloseTo(((found.high ?? 0) - (found.low ?? 0)) / 2, 12);
});

test("equal arms differ by nothing, in no direction", () => {
  const arm = [
    [1, 0, 1],
    [0, 0, 1],
  ];
  expect(pairedDifference(arm, arm, { random })).toEqual({
    ...{ difference: 0, low: 0, high: 0, standardError: 0 },
    ...{ smallestVisible: 0, seeds: 2, probabilityOfImprovement: 0.5 },
  });
});

test("one seed has a difference but no interval", () => {
  const found = compare([[1, 0, 1, 1]]);
  expect(found.difference).toBe(0.75);
  expect(found).not.toHaveProperty("low");
  expect(found).not.toHaveProperty("smallestVisible");
});

test("an infinite value has a difference but no interval", () => {
  const found = pairedDifference(single([Infinity, 2, 3]), single([1, 1, 1]), { random });
  expect(found).toMatchObject({ difference: Infinity, standardError: NaN, seeds: 3 });
  expect(found.probabilityOfImprovement).toBe(1);
  expect(found).not.toHaveProperty("low");
  const both = pairedDifference(single([Infinity, 2]), single([Infinity, 1]), { random });
  expect(both).toMatchObject({ difference: NaN, probabilityOfImprovement: 0.625 });
  expect(probabilityOfImprovement([NaN], [1])).toBeNaN();
});

test("the same random numbers give the same interval", () => {
  const arm = single(normals(8, new Random(4)));
  expect(compare(arm)).toEqual(compare(arm));
  expect(compare(arm, { random: new Random(2) }).low).not.toBe(compare(arm).low);
});

describe("the interval holds the truth in at least 95 of 100 cases, whatever varies", () => {
  const cases = 300;
  const covered = (make: (stream: Random) => SeedValues, options: object = {}) => {
    let count = 0;
    for (let i = 0; i < cases; i++) {
      const stream = new Random(77).stream("case", i);
      const { low = 0, high = 0 } = compare(make(stream), { ...options, random: stream });
      if (low <= 0 && high >= 0) count += 1;
    }
    return count / cases;
  };

  test.each([3, 5, 10])("seeds, of which there are %i", (seeds) => {
    const share = covered((stream) => single(normals(seeds, stream)), { resamples: 400 });
    expect(share).toBeGreaterThan(0.92);
  });

  test("problems that every seed shares", () => {
    const share = covered(
      (stream) => {
        const problems = normals(30, stream);
        return [0, 1, 2, 3, 4].map(() =>
          normals(30, stream).map((noise, i) => 0.1 * noise + (problems[i] as number)),
        );
      },
      { resamples: 200, sharedProblems: true },
    );
    expect(share).toBeGreaterThan(0.92);
    expect(share).toBeLessThan(1);
  });
});

test("problems drawn once for all seeds widen the interval where their effect is shared", () => {
  const problems = normals(20, new Random(5));
  const arm = [0, 1, 2].map(() => problems);
  const width = (sharedProblems: boolean) => compare(arm, { sharedProblems }).smallestVisible ?? 0;
  expect(width(true)).toBeGreaterThan(1.4 * width(false));
});

test("the probability of improvement counts pairs of runs, ties half", () => {
  expect(probabilityOfImprovement([3, 4], [1, 2])).toBe(1);
  expect(probabilityOfImprovement([1, 3], [2, 2])).toBe(0.5);
  expect(probabilityOfImprovement([2, 3], [2, 4])).toBe(0.375);
});

test("arms that are no pairs are refused", () => {
  const refused = (arm: SeedValues, baseline: SeedValues) =>
    expect(() => pairedDifference(arm, baseline, { random })).toThrow(/are no pairs/);
  refused([], []);
  refused(single([1, 2]), single([1]));
  refused([[1, 2]], [[1]]);
  refused([[1], []], [[1], []]);
});

test("Student's t is that of the tables, and near it beyond", () => {
  expect(studentQuantile975(2)).toBe(4.3027);
  expect(studentQuantile975(40)).toBeCloseTo(2.0211, 2);
  expect(studentQuantile975(1000)).toBeCloseTo(1.9623, 3);
});
