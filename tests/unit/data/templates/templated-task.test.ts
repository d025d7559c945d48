import { expect, test } from "vitest";
import {
  findTask,
  hierarchicalTemplateSchema,
  type Problem,
  taskConfigSchema,
  taskSource,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const random = new Random(1);
const config = taskConfigSchema.parse({
  ...{ type: "chain", wording: "symbols", minHops: 2, maxHops: 2, style: "compact", modulus: 10 },
});
const source = taskSource(config, { template: hierarchicalTemplateSchema.parse({}) });
const problem: Problem = {
  ...{ id: "p", prompt: "a=3;b=a+4;c=b-2;c?", answer: "5" },
  value: {
    facts: [
      { name: "a", value: 3 },
      { name: "b", left: "a", operation: "+", right: 4 },
      { name: "c", left: "b", operation: "-", right: 2 },
    ],
    ...{ hops: ["b", "c"], modulus: 10, wording: "symbols" },
  },
};
const whole = "b=3+4=7 §+\nc=7-2=5 §-\n¤+ -\n5";
const judged = (text: string) =>
  source
    .checkSteps?.(problem, text)
    .map(({ start, end, correct }) => [text.slice(start, end), correct]);
const restOf = (prefix: string) => source.continueFrom?.(problem, prefix, {}, random);

test("a solution has its steps with their keys, the summary and the answer", () => {
  expect(source.solve?.(problem, { errorRate: 0 }, random)).toBe(whole);
  expect(source.verify(problem, whole)).toEqual({ correct: true, answer: "5", traceCorrect: true });
  expect(judged(whole)?.map(([, correct]) => correct)).toEqual([true, true, true, true]);
  const wrong = source.solve?.(problem, { errorRate: 1 }, random) ?? "";
  expect(wrong).toMatch(/^b=.* §.\nc=.* §.\n¤. .\n\d$/);
  expect(source.verify(problem, wrong).correct).toBe(false);
});

test("the place of a wrong step has its marks in it, and what follows is not right", () => {
  const text = "b=3+4=7 §+\nc=7-2=6 §-\n¤+ -\n6";
  expect(judged(text)).toEqual([
    ["b=3+4=7 §+", true],
    ["c=7-2=6 §-", false],
    ["¤+ -", false],
    ["6", false],
  ]);
  expect(restOf("b=3+4=7 §+\n")).toBe("c=7-2=5 §-\n¤+ -\n5");
  expect(restOf("b=3+4=7 §+")).toBe("\nc=7-2=5 §-\n¤+ -\n5");
});

test("a line that is taken back is one step with what takes it back", () => {
  const text = "b=3+4=9 §+\nwait\nb=3+4=7 §+";
  expect(judged(text)).toEqual([
    ["b=3+4=9 §+\nwait", true],
    ["b=3+4=7 §+", true],
  ]);
  expect(restOf(text)).toBe("\nc=7-2=5 §-\n¤+ + -\n5");
});

test("a wrong summary or answer is a wrong step; the answer that is read is the last line's", () => {
  expect(judged("b=3+4=7 §+\nc=7-2=5 §-\n¤+ +\n5")?.[2]).toEqual(["¤+ +", false]);
  const last = "b=3+4=7 §+\nc=7-2=5 §-\n¤+ -\n4";
  expect(judged(last)?.[3]).toEqual(["4", false]);
  expect(source.verify(problem, last)).toMatchObject({ correct: false, answer: "4" });
  expect(restOf("b=3+4=7 §+\nc=7-2=5 §-\n¤+ -\n")).toBe("5");
  expect(restOf(whole)).toBe("");
  // A summary of half the steps sums up nothing.
  expect(judged("b=3+4=7 §+\n¤+\n7")?.[1]).toEqual(["¤+", false]);
  // Without marks it says the same, and is no trace in the template.
  expect(source.verify(problem, "b=3+4=7\nc=7-2=5")).toMatchObject({
    ...{ correct: true, traceCorrect: false },
  });
});

test("its characters are in the alphabet", () => {
  expect(source.alphabet).toBe(`${findTask("chain").alphabet(config)}§¤`);
});

test("tasks that fit no template, and templates that cannot be read again, are refused", () => {
  const solve = (type: "addition" | "tool" | "rerank") => () => {
    const template = hierarchicalTemplateSchema.parse({});
    return taskSource(taskConfigSchema.parse({ type }), { template }).problem("train", 0, random);
  };
  expect(solve("rerank")).toThrow("has no steps that it judges");
  expect(solve("addition")).toThrow("does not write its steps as lines");
  expect(solve("tool")).toThrow("does not read a bare answer");
  const parse = (template: object) => () => hierarchicalTemplateSchema.parse(template);
  expect(parse({ step: "{key}" })).toThrow("one line with {step} in it once");
  expect(parse({ summary: "{keys}" })).toThrow("one line by which a summary is known");
});
