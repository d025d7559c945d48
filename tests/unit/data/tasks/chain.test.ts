import { describe, expect, test } from "vitest";
import {
  type ChainProblem,
  chainTask,
  type TaskSplit,
  taskExamples,
  taskItems,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const styles = ["full", "compact", "terse", "direct"] as const;
const splits: readonly TaskSplit[] = ["train", "heldOut", "longer"];
const defaults = chainTask.config.parse({});

const problem: ChainProblem = {
  facts: [
    { name: "c", left: "b", operation: "*", right: 7 },
    { name: "z", left: "a", operation: "+", right: 1 },
    { name: "a", value: 17 },
    { name: "d", left: "a", operation: "-", right: "c" },
    { name: "b", left: "a", operation: "+", right: 4 },
  ],
  hops: ["b", "c", "d"],
  modulus: 100,
  wording: "symbols",
};
const fullTrace = "b = 17 + 4 = 21\nc = 21 * 7 = 47\nd = 17 - 47 = 70";

/** What the steps of a full trace compute, with commuting operands in order. */
function numericSteps(trace: string): string {
  const lines = trace.split("\n").map((line) => {
    const [, left = "", operation = "", right = ""] = /= (\d+) (.) (\d+) =/.exec(line) ?? [];
    const operands = [left, right].map(Number);
    if (operation !== "-") operands.sort((a, b) => a - b);
    return operands.join(operation);
  });
  return lines.join(";");
}

describe("chain", () => {
  test.each([
    ["full", fullTrace],
    ["compact", "b=17+4=21\nc=21*7=47\nd=17-47=70"],
    ["terse", "b=21\nc=47\nd=70"],
    ["direct", "70"],
  ] as const)("writes %s, modulo 100", (style, trace) => {
    expect(chainTask.oracle(problem, { ...defaults, style }, new Random(1))).toBe(trace);
    expect(chainTask.answer(problem)).toBe("70");
    expect(chainTask.verify(problem, trace)).toEqual({
      correct: true,
      answer: "70",
      traceCorrect: true,
    });
  });

  test("words a problem as equations or as sentences", () => {
    expect(chainTask.prompt(problem)).toBe("c=b*7;z=a+1;a=17;d=a-c;b=a+4;d?");
    expect(chainTask.prompt({ ...problem, wording: "sentences" })).toBe(
      "c has 7 times as many as b. z has 1 more than a. a has 17. d has as many as a minus c. " +
        "b has 4 more than a. How many has d?\n",
    );
  });

  test("random problems: solved in every style, with the wanted hops and distractors", () => {
    for (const split of splits) {
      for (const [i, style] of styles.entries()) {
        const options = chainTask.config.parse({ style, distractors: i });
        for (const { problem: p, example } of taskItems(
          chainTask,
          options,
          split,
          new Random(i),
          100,
        )) {
          expect(chainTask.verify(p, example.completion)).toMatchObject({
            correct: true,
            traceCorrect: true,
            answer: example.answer,
          });
          expect(p.hops.length > 3).toBe(split === "longer");
          const needed = neededNames(p);
          expect(p.facts.length - needed.size).toBe(i);
          expect(p.hops.every((name) => needed.has(name))).toBe(true);
          expect(new Set(p.facts.map(({ name }) => name)).size).toBe(p.facts.length);
        }
      }
    }
  });

  test("a forward order defines every quantity before its use, a shuffled one does not", () => {
    const isForward = ({ facts }: ChainProblem) =>
      facts.every((fact, i) => {
        const before = facts.slice(0, i).map(({ name }) => name);
        if ("value" in fact) return true;
        return [fact.left, fact.right].every((x) => typeof x === "number" || before.includes(x));
      });
    const shareForward = (order: "forward" | "shuffled") => {
      const options = chainTask.config.parse({ order, minHops: 3, distractors: 4 });
      const items = taskItems(chainTask, options, "train", new Random(4), 100);
      return items.filter((item) => isForward(item.problem)).length / items.length;
    };
    expect(shareForward("forward")).toBe(1);
    expect(shareForward("shuffled")).toBeLessThan(0.2);
  });

  test.each(styles)("an errorRate of 1 is always wrong, 0.3 about as often (%s)", (style) => {
    const wrongShare = (errorRate: number, count: number) => {
      const options = chainTask.config.parse({ style, errorRate, modulus: 10 });
      const items = taskItems(chainTask, options, "train", new Random(9), count);
      const wrong = items.filter(({ problem: p, example }) => {
        const verdict = chainTask.verify(p, example.completion);
        expect(verdict.answer).toMatch(/^\d$/);
        expect(verdict.traceCorrect).toBe(verdict.correct);
        return !verdict.correct;
      });
      return wrong.length / count;
    };
    expect(wrongShare(1, 800)).toBe(1);
    expect(Math.abs(wrongShare(0.3, 2000) - 0.3)).toBeLessThan(0.05);
  });

  test("one hop is wrong, at any place, and later hops use its value", () => {
    const options = chainTask.config.parse({ errorRate: 1, minHops: 3, maxHops: 3 });
    const wrongHops = new Set<number>();
    for (const { problem: p, example } of taskItems(
      chainTask,
      options,
      "train",
      new Random(3),
      200,
    )) {
      const values = new Map(p.facts.flatMap((f) => ("value" in f ? [[f.name, f.value]] : [])));
      let wrong = 0;
      for (const [hop, line] of example.completion.split("\n").entries()) {
        const [, name, left, operation, right, value] =
          /^(\w+) = (\d+) (.) (\d+) = (\d+)$/.exec(line) ?? [];
        const fact = p.facts.find((f) => f.name === name);
        if (fact === undefined || "value" in fact) throw new Error(line);
        const written = [fact.left, fact.right].map((x) =>
          typeof x === "number" ? x : values.get(x),
        );
        expect([Number(left), Number(right)]).toEqual(written);
        const [a, b] = [Number(left), Number(right)];
        const exact = operation === "+" ? a + b : operation === "-" ? a - b : a * b;
        if (((exact % 100) + 100) % 100 !== Number(value)) {
          wrong += 1;
          wrongHops.add(hop);
        }
        values.set(name as string, Number(value));
      }
      expect(wrong).toBe(1);
    }
    expect([...wrongHops].sort()).toEqual([0, 1, 2]);
  });

  test.each([
    [fullTrace, true, true],
    ["70", true, true],
    // Judged by the answer alone; traceCorrect tells.
    ["b = 17 + 4 = 22\nc = 21 * 7 = 47\nd = 17 - 47 = 70", true, false],
    ["d=70", true, false],
    ["anything\n70", true, false],
    [`${fullTrace}\n`, false, false],
    [`${fullTrace} `, false, false],
    ["b = 17 + 4 = 21\nc = 21 * 7 = 47", false, false],
    ["c=70", false, false],
    ["dd=70", false, false],
    ["d=070", false, false],
    ["d=-30", false, false],
    ["d=71", false, false],
    ["170", false, false],
    ["d 70", false, false],
    ["", false, false],
  ])("verifies %j as %s", (completion, correct, traceCorrect) => {
    expect(chainTask.verify(problem, completion)).toMatchObject({ correct, traceCorrect });
  });

  test("the same steps are in the same split, whatever names, order and distractors", () => {
    const twin: ChainProblem = {
      facts: [
        { name: "x", left: 4, operation: "+", right: "y" },
        { name: "y", value: 17 },
        { name: "w", left: "y", operation: "-", right: "v" },
        { name: "v", left: 7, operation: "*", right: "x" },
      ],
      hops: ["x", "v", "w"],
      modulus: 100,
      wording: "sentences",
    };
    for (let i = 1; i < 20; i++) {
      const options = chainTask.config.parse({ heldOutFraction: i / 20 });
      expect(chainTask.splitOf(twin, options)).toBe(chainTask.splitOf(problem, options));
    }
    // Both splits occur, so that the above can fail.
    const always = { ...defaults, heldOutFraction: 1 - 1e-9 };
    expect(chainTask.splitOf(problem, always)).toBe("heldOut");
    expect(chainTask.splitOf(problem, { ...always, heldOutFraction: 1e-9 })).toBe("train");
  });

  test("traces drawn for one split never occur in another", () => {
    // Few enough different traces that overlaps would be drawn if they were possible.
    const options = chainTask.config.parse({
      maxHops: 2,
      modulus: 10,
      operations: ["+", "-"],
      heldOutFraction: 0.3,
    });
    const drawn = splits.map((split) => {
      const items = taskExamples(chainTask, options, split, new Random(5), 3000);
      return new Set(items.map(({ completion }) => numericSteps(completion)));
    });
    const [train, heldOut, longer] = drawn as [Set<string>, Set<string>, Set<string>];
    expect(Math.min(train.size, heldOut.size, longer.size)).toBeGreaterThan(300);
    expect([...heldOut, ...longer].filter((steps) => train.has(steps))).toEqual([]);
    expect([...longer].filter((steps) => heldOut.has(steps))).toEqual([]);
    expect([...longer].every((steps) => steps.split(";").length === 3)).toBe(true);
  });

  test.each(["symbols", "sentences"] as const)(
    "the alphabet has all characters of %s",
    (wording) => {
      const alphabet = new Set(chainTask.alphabet({ ...defaults, wording }));
      for (const style of styles) {
        const options = chainTask.config.parse({ wording, style, distractors: 8, maxHops: 7 });
        for (const { prompt, completion } of taskExamples(
          chainTask,
          options,
          "longer",
          new Random(1),
          60,
        )) {
          expect([...prompt, ...completion].filter((c) => !alphabet.has(c))).toEqual([]);
        }
      }
    },
  );
});

/** The asked quantity and everything it is computed from. */
function neededNames({ facts, hops }: ChainProblem): Set<string> {
  const needed = new Set<string>();
  const visit = (name: string): void => {
    needed.add(name);
    const fact = facts.find((f) => f.name === name);
    if (fact === undefined) throw new Error(`No fact about ${name}.`);
    if ("value" in fact) return;
    for (const operand of [fact.left, fact.right]) if (typeof operand === "string") visit(operand);
  };
  visit(hops.at(-1) as string);
  return needed;
}
