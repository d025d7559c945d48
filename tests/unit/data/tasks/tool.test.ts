import { describe, expect, test } from "vitest";
import { taskItems, type ToolProblem, toolTask } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const problem: ToolProblem = {
  facts: [
    { name: "c", left: "b", operation: "*", right: 3 },
    { name: "a", value: 17 },
    { name: "b", left: "a", operation: "+", right: 4 },
  ],
  hops: ["b", "c"],
  modulus: 100,
  wording: "symbols",
  maxActions: 3,
};
const config = (changes: object = {}) => toolTask.config.parse(changes);
const trace = "R:b=a+4\nA:look a\nO:17\nA:calc 17+4\nO:21\nR:c=b*3\nA:calc 21*3\nO:63\nF:63";

describe("tool", () => {
  test("tells equations and not what is given; the oracle looks it up", () => {
    expect(toolTask.prompt(problem)).toBe("c=b*3;b=a+4;c?\n");
    expect(toolTask.oracle(problem, config(), new Random(1))).toBe(trace);
    expect(toolTask.oracle(problem, config({ style: "acts" }), new Random(1))).toBe(
      trace.replace(/R:.*\n/g, ""),
    );
  });

  test.each([
    ["A:look a\n", "O:17\n"],
    ["R:b=a+4\nA:look a\n", "O:17\n"],
    ["A:calc 98+4\n", "O:2\n"],
    ["A:look b\n", "O:?\n"],
    ["A:look z\n", "O:?\n"],
    ["A:fly\n", "O:?\n"],
    ["A:look a", undefined],
    ["A:look a\nO:17\n", undefined],
    ["R:b=a+4\n", undefined],
    ["", undefined],
  ])("to %j the world says %j", (completion, said) => {
    expect(toolTask.respond?.(problem, completion)).toBe(said);
  });

  test.each([
    [trace, true],
    ["F:63", true],
    ["F:64", false],
    ["63", false],
    [`A:look a\nO:17\n${trace}`, false],
  ])("verifies %j as %s", (completion, correct) => {
    expect(toolTask.verify(problem, completion).correct).toBe(correct);
  });

  test.each([
    ["O:17", [false]],
    ["A:look a\nO:18", [true, false]],
    ["A:look b\nO:?", [false, true]],
    ["A:calc 17+4", [false]],
    ["A:look a\nO:17\nA:calc 4+17\nO:21", [true, true, true, true]],
    ["A:look a\nO:17\nA:calc 17-4\nO:13\nF:63", [true, true, false, true, false]],
    ["R:b=a+5\nhm", [false, false]],
    ["F:63", [false]],
  ])("steps of %j", (completion, expected) => {
    expect(toolTask.checkSteps?.(problem, completion).map(({ correct }) => correct)).toEqual(
      expected,
    );
  });

  test.each([
    ["A:look a", "\nO:17\nA:calc 17+4\nO:21\nA:calc 21*3\nO:63\nF:63"],
    ["A:look a\nO:17\nA:calc 17-4\nO:13\n", "A:calc 17+4\nO:21\nA:calc 21*3\nO:63\nF:63"],
    ["A:look a\nO:17\nA:calc 17+4\nO:21\nA:calc 21*3\nO:63\nF:63", ""],
  ])("goes on behind %j", (prefix, rest) => {
    const options = config({ style: "acts" });
    expect(toolTask.continueFrom?.(problem, prefix, options, new Random(1))).toBe(rest);
  });

  test("in a wrong trace the world still tells the truth", () => {
    const options = config({ errorRate: 1, mistakes: ["look", "operand", "operation"] });
    for (const { problem: p, example } of taskItems(
      ...([toolTask, options, "train", new Random(2), 60] as const),
    )) {
      expect(toolTask.verify(p, example.completion).correct).toBe(false);
      for (const { index } of example.completion.matchAll(/^O:/gm)) {
        const said = toolTask.respond?.(p, example.completion.slice(0, index));
        expect(example.completion.slice(index)).toContain(said?.trimEnd());
        expect(example.completion.slice(index).startsWith(said?.trimEnd() ?? "-")).toBe(true);
      }
    }
  });
});
