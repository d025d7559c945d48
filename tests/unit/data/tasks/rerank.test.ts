import { describe, expect, test } from "vitest";
import {
  bm25,
  kendallTau,
  type RerankList,
  type RerankProblem,
  rerankTask,
  taskItems,
  type TaskSplit,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const defaults = rerankTask.config.parse({});
const splits: readonly TaskSplit[] = ["train", "heldOut", "longer"];
const problem: RerankProblem = {
  query: [
    { topic: 1, word: "bada" },
    { topic: 2, word: "meso" },
  ],
  passages: [
    { grade: 0, words: [{ topic: 3, word: "zuzu" }] },
    {
      grade: 2,
      words: [
        { topic: 2, word: "popu" },
        { topic: 1, word: "kida" },
      ],
    },
    {
      grade: 1,
      words: [
        { topic: 2, word: "meso" },
        { topic: 3, word: "zuzu" },
      ],
    },
  ],
};

describe("rerank", () => {
  test.each([
    ["reasons", "1: 0\n2: kida=bada popu=meso 2\n3: meso=meso 1\n[2] > [3] > [1]"],
    ["grades", "1: 0\n2: 2\n3: 1\n[2] > [3] > [1]"],
    ["direct", "[2] > [3] > [1]"],
  ] as const)("writes %s", (style, trace) => {
    expect(rerankTask.oracle(problem, { ...defaults, style }, new Random(1))).toBe(trace);
    const verdict = { correct: true, answer: "[2] > [3] > [1]", traceCorrect: true };
    expect(rerankTask.verify(problem, trace)).toEqual(verdict);
    expect(rerankTask.prompt(problem)).toBe(
      "query: bada meso\n[1] zuzu\n[2] popu kida\n[3] meso zuzu\nrank:\n",
    );
  });

  test.each(["[3] > [2] > [1]", "[2] > [3]", "[2] > [3] > [1] > [1]", "", "2 3 1"])(
    "finds %j wrong",
    (completion) => {
      expect(rerankTask.verify(problem, completion).correct).toBe(false);
    },
  );

  test("takes equal grades in any order", () => {
    const [first, second] = problem.passages as [never, never];
    const tied = { ...problem, passages: [first, second, first] };
    expect(rerankTask.verify(tied, "[2] > [3] > [1]").correct).toBe(true);
    expect(rerankTask.verify(tied, "[2] > [1] > [3]").correct).toBe(true);
  });

  test("every wrong trace is wrong, every right one right, within the alphabet", () => {
    const alphabet = new Set(rerankTask.alphabet(defaults));
    for (const errorRate of [0, 1]) {
      for (const split of splits) {
        const options = { ...defaults, errorRate };
        for (const { problem: drawn, example } of taskItems(
          rerankTask,
          options,
          split,
          new Random(2),
          40,
        )) {
          expect(rerankTask.verify(drawn, example.completion).correct).toBe(errorRate === 0);
          expect(rerankTask.splitOf(drawn, options)).toBe(split);
          const unknown = [...example.prompt, ...example.completion].filter(
            (c) => !alphabet.has(c),
          );
          expect(unknown).toEqual([]);
        }
      }
    }
  });

  test("as a list has the grades, which shared words tell only in part", () => {
    const items = taskItems(rerankTask, defaults, "train", new Random(3), 100);
    const taus = items.map(({ problem: drawn }) => {
      const { query, candidates } = rerankTask.list?.(drawn) as RerankList;
      const grades = candidates.map(({ grade = 0 }) => grade);
      expect(grades).toEqual(drawn.passages.map(({ grade }) => grade));
      expect(Math.max(...grades)).toBe(2);
      expect(grades).toContain(1);
      return kendallTau(bm25(candidates.map(({ text }) => text))(query), grades) ?? 0;
    });
    const mean = taus.reduce((sum, tau) => sum + tau, 0) / taus.length;
    expect(mean).toBeGreaterThan(0.2);
    expect(mean).toBeLessThan(0.7);
  });

  test("no two topics share a word", () => {
    const options = rerankTask.config.parse({ topics: 200, synonyms: 20, passageWords: 20 });
    const topics = new Map<string, number>();
    for (const { problem: drawn } of taskItems(rerankTask, options, "train", new Random(4), 30)) {
      for (const { topic, word } of drawn.passages.flatMap(({ words }) => words)) {
        expect(topics.get(word) ?? topic).toBe(topic);
        topics.set(word, topic);
      }
    }
    expect(topics.size).toBeGreaterThan(1000);
  });

  test("refuses more words than there are, and lists that are too long", () => {
    expect(rerankTask.config.safeParse({ longerBy: 40 }).success).toBe(false);
    expect(rerankTask.config.safeParse({ topics: 300 }).success).toBe(false);
  });
});
