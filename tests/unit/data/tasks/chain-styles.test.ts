import { describe, expect, test } from "vitest";
import { type ChainProblem, chainTask, taskItems } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

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
const judge = (completion: string) =>
  (chainTask.checkSteps?.(problem, completion) ?? []).map(({ start, end, correct }) => [
    completion.slice(start, end),
    correct,
  ]);
const config = (changes: object) => chainTask.config.parse({ wording: "symbols", ...changes });

test("as a table, a column per fact", () => {
  expect(chainTask.prompt({ ...problem, wording: "table" })).toBe(
    "c z a d b\nb a 17 a a\n* + = - +\n7 1 ; c 4\nd?",
  );
});

describe("steps", () => {
  test("need what they are made from", () => {
    expect(judge("c=21*7=47\nb=17+4=21\nd=17-47=70")).toEqual([
      ["c=21*7=47", false],
      ["b=17+4=21", true],
      ["d=17-47=70", false],
    ]);
  });

  test("that a wrong value was carried into are wrong too", () => {
    expect(judge("b=22\nc = 22 * 7 = 54").map(([, correct]) => correct)).toEqual([false, false]);
  });

  test.each([
    ["b=4+17=21", true],
    ["b = 17 + 4 = 21", true],
    ["b=21", true],
    ["a=17", true],
    ["z=18", true],
    ["z=17+1=18", true],
    ["b=a+4", true],
    ["check b=21", true],
    ["70", true],
    ["b=a+5", false],
    ["check b=22", false],
    ["b=17-4=21", false],
    ["q=3", false],
    ["71", false],
    ["b=-21", false],
    ["nonsense", false],
  ])("%j is %j", (line, correct) => {
    expect(judge(line)).toEqual([[line, correct]]);
  });

  test("a line that is taken back is no mistake, and no step", () => {
    expect(judge("b=22\nwait\nb=21")).toEqual([
      ["b=22\nwait", true],
      ["b=21", true],
    ]);
    expect(judge("b=21\nwait\nc=47").map(([, correct]) => correct)).toEqual([true, false]);
    expect(judge("wait")).toEqual([["wait", false]]);
  });
});

describe("continuing", () => {
  const rest = (prefix: string, style: string) =>
    chainTask.continueFrom?.(problem, prefix, config({ style }), new Random(1));

  test.each([
    ["", "full", "b = 17 + 4 = 21\nc = 21 * 7 = 47\nd = 17 - 47 = 70"],
    ["b = 17 + 4 = 21", "terse", "\nc = 21 * 7 = 47\nd = 17 - 47 = 70"],
    ["b=21\n", "full", "c=47\nd=70"],
    ["b=22\nwait", "full", "\nb = 17 + 4 = 21\nc = 21 * 7 = 47\nd = 17 - 47 = 70"],
    ["b=21\nc=48\nwait\n", "full", "c=47\nd=70"],
    ["b=21\nc=47\nd=70", "full", ""],
    ["70", "direct", ""],
  ])("%j as %s", (prefix, style, expected) => {
    expect(rest(prefix, style)).toBe(expected);
  });
});

describe("an oracle that talks", () => {
  const traces = (changes: object) =>
    taskItems(chainTask, config({ style: "compact", ...changes }), "train", new Random(2), 60);

  test("does so at a share of the hops", () => {
    const countTalk = (verbosity: number) => {
      const all = traces({ verbosity, talk: ["check"], minHops: 3 });
      return all.flatMap(({ example }) => example.completion.match(/check /g) ?? []).length;
    };
    expect(countTalk(0)).toBe(0);
    expect(countTalk(1)).toBe(180);
    expect(Math.abs(countTalk(0.5) - 90)).toBeLessThan(25);
  });

  test.each([
    ["restate", /^[a-z]=\w+[-+*]\w+$/m],
    ["check", /^check [a-z]=\d+$/m],
    ["detour", /^[a-z]=\d+[-+*]\d+=\d+\nwait$/m],
  ])("%s", (talk, line) => {
    for (const { example } of traces({ verbosity: 1, talk: [talk] })) {
      expect(example.completion).toMatch(line);
    }
  });
});

describe("mistakes", () => {
  const rules: Record<string, (line: string[], modulus: number) => boolean> = {
    carry: ([left = "", operation = "", right = "", value = ""]) => {
      const digit = (text: string, place: number) => Number(text.at(-1 - place) ?? 0);
      const units = { "+": 1, "-": -1 }[operation] ?? 0;
      const exact =
        operation === "*"
          ? digit(left, 0) * Number(right)
          : digit(left, 0) + units * digit(right, 0);
      return ((exact % 10) + 10) % 10 === digit(value, 0);
    },
    copy: ([left, , right, value]) => left === value || right === value,
    modulus: ([, , , value = ""], modulus) => Number(value) >= modulus || Number(value) < 0,
    order: ([, operation]) => operation === "-",
  };

  test.each(["slip", "carry", "operand", "operation", "order", "copy", "modulus"])("%s", (kind) => {
    const options = config({
      ...{ errorRate: 1, mistakes: [kind], minHops: 2, maxHops: 2, style: "compact" },
      distractors: 0,
    });
    const seen = taskItems(chainTask, options, "train", new Random(3), 150).map(
      ({ problem: p, example }) => {
        expect(chainTask.verify(p, example.completion).correct).toBe(false);
        const steps = chainTask.checkSteps?.(p, example.completion) ?? [];
        const wrong = steps.find(({ correct }) => !correct);
        const line = example.completion.slice(wrong?.start, wrong?.end);
        const [, ...parts] = /=(\d+)([-+*])(\d+)=(-?\d+)$/.exec(line) ?? [];
        return rules[kind]?.(parts, p.modulus) ?? true;
      },
    );
    // Problems that leave no room for it, or cancel it, have a slip in the last hop.
    expect(seen.filter(Boolean).length / seen.length).toBeGreaterThan(0.4);
  });
});
