import { describe, expect, test } from "vitest";
import { bm25, calibrationError, kendallTau } from "../../../../src/data/index.js";

describe("kendallTau", () => {
  test.each([
    [[1, 2, 3], [10, 20, 30], 1],
    [[1, 2, 3], [3, 2, 1], -1],
    // Four of six pairs agree, two do not: (4 − 2) / 6.
    [[1, 2, 3, 4], [2, 1, 4, 3], 1 / 3],
    // scipy.stats.kendalltau([1, 2, 2, 3], [1, 3, 2, 2]): 2 agree, 1 does not, one tie on each side but not both.
    [[1, 2, 2, 3], [1, 3, 2, 2], 2 / 5],
    [[2, 2, 1], [1, 1, 0], 1],
  ])("of %j and %j is %d", (x, y, tau) => {
    expect(kendallTau(x, y)).toBeCloseTo(tau, 12);
    expect(kendallTau(y, x)).toBeCloseTo(tau, 12);
  });

  test("is undefined where one side ties everything", () => {
    expect(kendallTau([1, 1], [1, 2])).toBeUndefined();
    expect(kendallTau([], [])).toBeUndefined();
    expect(() => kendallTau([1], [1, 2])).toThrow("1 and 2 scores");
  });
});

describe("calibrationError", () => {
  test("is the gap of each bin by how full it is", () => {
    expect(calibrationError([0.2, 0.25, 0.9], [0, 1, 1])).toBeCloseTo((0.55 + 0.1) / 3, 12);
    // Gaps within a bin cancel, those of different bins do not.
    expect(calibrationError([0.5, 0.5], [1, 0])).toBe(0);
    expect(calibrationError([1, 0], [0, 1])).toBe(1);
    expect(calibrationError([], [])).toBe(0);
  });
});

describe("bm25", () => {
  const passages = ["red fox", "red red dog runs", "cat"];

  test("hand-computed, with Lucene's idf and the different words as lengths", () => {
    const idf = (n: number) => Math.log(1 + (3 - n + 0.5) / (n + 0.5));
    const saturated = (tf: number, length: number) =>
      (tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * length) / 2));
    const [first, second, third] = bm25(passages)("red dog");
    expect(first).toBeCloseTo(idf(2) * saturated(1, 2), 10);
    expect(second).toBeCloseTo(idf(2) * saturated(2, 3) + idf(1) * saturated(1, 3), 10);
    expect(third).toBe(0);
  });

  test.each([
    ["an empty query", "", [0, 0, 0]],
    ["no word at all", " ?! \n", [0, 0, 0]],
    ["words that are names of members", "constructor __proto__ toString", [0, 0, 0]],
    ["a regular expression", "(red)*[", "some"],
    ["other case", "RED", "some"],
  ])("takes %s", (_what, query, expected) => {
    const scores = bm25(passages)(query);
    expect(scores.every(Number.isFinite)).toBe(true);
    if (expected === "some") expect(scores.map((score) => score > 0)).toEqual([true, true, false]);
    else expect(scores).toEqual(expected);
  });

  test("takes odd passages, and scores prefixes and misspellings as other words", () => {
    expect(bm25([])("red")).toEqual([]);
    expect(bm25(["", ""])("red")).toEqual([0, 0]);
    expect(bm25(["rediscover", "rad", "数 学"])("red")).toEqual([0, 0, 0]);
    expect(bm25(["数 学", ""])("学")[0]).toBeGreaterThan(0);
    const constructor = bm25(["constructor proto", "x"])("constructor");
    expect(constructor[0]).toBeGreaterThan(0);
  });

  test("a word twice in the query counts twice", () => {
    const scores = bm25(passages);
    expect(scores("fox fox")[0]).toBeCloseTo(2 * (scores("fox")[0] as number), 10);
  });
});
