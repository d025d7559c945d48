import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  encodeCandidate,
  rankingWindows,
  readRanking,
  someCandidates,
  writeRanking,
  writeRankingPrompt,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

describe("readRanking", () => {
  test.each([
    ["[2] > [1] > [3]", [1, 0, 2], 3, true],
    ["1: 2\n2: 0\n[2] > [1] > [3]\n", [1, 0, 2], 3, true],
    ["[3]", [2, 0, 1], 1, false],
    ["[3] > [3] > [1]", [2, 0, 1], 2, false],
    ["[9] > [0] > [2]", [1, 0, 2], 1, false],
    ["", [0, 1, 2], 0, false],
    // Only the last line is the order.
    ["[3] > [2] > [1]\nI do not know", [0, 1, 2], 0, false],
  ])("of %j", (text, order, named, isWhole) => {
    expect(readRanking(text, 3)).toEqual({ order, named, isWhole });
  });

  test("reads what is written", () => {
    expect(readRanking(writeRanking([2, 0, 1]), 3).order).toEqual([2, 0, 1]);
    expect(writeRankingPrompt("q", ["a", "b"])).toBe("query: q\n[1] a\n[2] b\nrank:\n");
  });
});

describe("rankingWindows", () => {
  test("go from the bottom to the top and cover every place", () => {
    expect(rankingWindows(20, 8, 4)).toEqual([
      { start: 12, end: 20 },
      { start: 8, end: 16 },
      { start: 4, end: 12 },
      { start: 0, end: 8 },
    ]);
    expect(rankingWindows(7, 4, 2)).toEqual([
      { start: 3, end: 7 },
      { start: 1, end: 5 },
      { start: 0, end: 3 },
    ]);
    expect(rankingWindows(3, 8, 4)).toEqual([{ start: 0, end: 3 }]);
    expect(rankingWindows(0, 8, 4)).toEqual([]);
  });
});

describe("candidates", () => {
  const list = {
    ...{ queryId: "q", query: "q" },
    candidates: [0, 2, 1, 0, 2].map((grade, i) => ({ docid: `${i}`, text: "", ids: [i], grade })),
  };

  test("some of a list always have one of the highest grade, in the order of the list", () => {
    const chosen = Array.from({ length: 50 }, (_, i) => someCandidates(list, 2, new Random(i)));
    for (const { candidates } of chosen) {
      const ids = candidates.map(({ docid }) => Number(docid));
      expect(ids).toHaveLength(2);
      expect(ids[0]).toBeLessThan(ids[1] as number);
      expect(ids.some((id) => id === 1 || id === 4)).toBe(true);
    }
    const seen = new Set(chosen.flatMap(({ candidates }) => candidates.map(({ docid }) => docid)));
    expect(seen.size).toBe(5);
    expect(someCandidates(list, 5, new Random(1))).toBe(list);
  });

  test("are read as query, passage and end, cut off by tokens", () => {
    const tokenizer = byteTokenizer({ specialTokens: true });
    const text = (ids: readonly number[]) => tokenizer.decode(ids);
    const whole = encodeCandidate(tokenizer, "what", "this one");
    expect(text(whole.ids)).toBe("what\nthis one");
    expect(whole.ids.at(-1)).toBe(tokenizer.endIds[0]);
    expect(whole.tokensCutOff).toBe(0);
    const cut = encodeCandidate(tokenizer, "what", "this one", {
      queryLength: 3,
      passageLength: 4,
    });
    expect(text(cut.ids)).toBe("wha\nthis");
    expect(cut.tokensCutOff).toBe(5);
  });
});
