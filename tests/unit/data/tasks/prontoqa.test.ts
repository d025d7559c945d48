import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  checkProof,
  type LogicProblem,
  prontoqaTask,
  readProntoqa,
  taskItems,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

const rule = (subject: string, predicate: string, negated = false) => ({
  ...{ subject, predicate, negated },
});
const problem: LogicProblem = {
  premises: [
    rule("B", "C"),
    rule("A", "B"),
    rule("A", "a"),
    rule("C", "b", true),
    rule("D", "b"),
    rule("X", "A"),
  ],
  query: rule("X", "b"),
  proof: [
    rule("X", "A"),
    ...[rule("A", "B"), rule("X", "B")],
    ...[rule("B", "C"), rule("X", "C")],
    ...[rule("C", "b", true), rule("X", "b", true)],
  ],
  wording: "symbols",
};
const gold = "X:A\nA>B\nX:B\nB>C\nX:C\nC>!b\nX:!b\nF";
const labels = (proof: string) => checkProof(problem, proof).steps.map(({ label }) => label);

describe("prontoqa", () => {
  test("in symbols", () => {
    expect(prontoqaTask.prompt(problem)).toBe("B>C;A>B;A>a;C>!b;D>b;X:A;X:b?");
    expect(prontoqaTask.answer(problem)).toBe("F");
    const config = prontoqaTask.config.parse({});
    expect(prontoqaTask.oracle(problem, config, new Random(1))).toBe(gold);
  });

  test("in sentences", () => {
    const said: LogicProblem = {
      premises: [rule("bumpus", "impus"), rule("impus", "red", true), rule("Max", "bumpus")],
      query: rule("Max", "red", true),
      proof: [
        rule("Max", "bumpus"),
        ...[rule("bumpus", "impus"), rule("Max", "impus")],
        ...[rule("impus", "red", true), rule("Max", "red", true)],
      ],
      wording: "sentences",
      plural: [1],
    };
    expect(prontoqaTask.prompt(said)).toBe(
      "Every bumpus is an impus. Impuses are not red. Max is a bumpus. True or false: Max is not red.\n",
    );
    const config = prontoqaTask.config.parse({ style: "conclusions", hidden: true });
    expect(prontoqaTask.oracle(said, config, new Random(1))).toBe(
      "Max is a bumpus.\nMax is an impus.\nMax is not red.\nTrue",
    );
    expect(prontoqaTask.hidden?.(said, config)).toBe(
      "bumpus>impus;impus>!red;Max:bumpus;Max:!red?",
    );
  });

  test.each([
    [gold, true, true],
    ["F", true, true],
    ["T", false, false],
    ["False.", true, false],
    ["X:B\nF", true, false],
    ["xF", false, false],
    ["", false, false],
  ])("verifies %j as %s", (completion, correct, traceCorrect) => {
    expect(prontoqaTask.verify(problem, completion)).toMatchObject({ correct, traceCorrect });
  });

  test("true and false are about as frequent, and the property alone decides nothing", () => {
    const config = prontoqaTask.config.parse({ wording: "symbols" });
    const items = taskItems(prontoqaTask, config, "train", new Random(1), 400);
    const share = items.filter(({ example }) => example.answer === "T").length / 400;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.08);
    for (const { problem: p } of items) {
      const property = p.query.predicate;
      const said = p.premises.filter(({ predicate }) => predicate === property);
      expect(said.map(({ negated }) => negated).sort()).toEqual([false, true]);
    }
  });
});

describe("the checker of proofs", () => {
  test.each([
    ["X:B", ["useful"]],
    ["X:A\nA>B\nX:B\nX:C", ["useful", "useful", "useful", "useful"]],
    ["A>a\nX:a", ["misleading", "misleading"]],
    ["D>b", ["misleading"]],
    ["X:C", ["non-atomic"]],
    ["A>C", ["skip"]],
    ["A>!b", ["invalid"]],
    ["X:b", ["invalid"]],
    ["X:D", ["invalid"]],
    ["C:A", ["invalid"]],
    ["so what", ["unparseable"]],
    // What a step builds on must have been right: C was not reached in one step.
    ["X:C\nX:!b", ["non-atomic", "non-atomic"]],
  ])("%j", (proof, expected) => {
    expect(labels(proof)).toEqual(expected);
  });

  test.each([
    [gold, [true, true, true, true]],
    ["X:B\nX:C\nX:!b", [true, true, true, true]],
    ["X:C\nX:!b\nF", [false, false, true, true]],
    ["A>C\nX:C\nX:!b", [false, true, true, true]],
    ["A>a\nX:a\nX:B\nX:C\nX:!b", [true, true, true, true]],
    ["X:b\nT", [false, false, false, false]],
    ["F", [false, false, false, false]],
  ])("proof %j: strict, with skip, with non-atomic, with both", (proof, expected) => {
    const { strict, withSkip, withNonAtomic, withBoth } = checkProof(problem, proof);
    expect([strict, withSkip, withNonAtomic, withBoth]).toEqual(expected);
  });

  test("says where the steps are", () => {
    const [first, second] = checkProof(problem, "X:A\n A>B \nF").steps;
    expect([first, second]).toMatchObject([
      { start: 0, end: 3 },
      { start: 5, end: 8 },
    ]);
  });
});

describe("files", () => {
  const example = {
    question: "Vumpuses are lempuses. Lempuses are not red. Max is a vumpus.",
    query: "True or false: Max is red.",
    chain_of_thought: [
      "Max is a vumpus.",
      "Vumpuses are lempuses.",
      "Max is a lempus.",
      "Lempuses are not red.",
      "Max is not red.",
    ],
    answer: "False",
  };
  const read = (changes: object) =>
    readProntoqa({ example1: { test_example: { ...example, ...changes } } }, "x.json");

  test("give problems that the task judges", () => {
    const [one] = read({});
    expect(one).toMatchObject({ id: "x.json:example1", answer: "False" });
    expect(one?.prompt).toBe(`${example.question} ${example.query}\n`);
    const value = one?.value as LogicProblem;
    expect(prontoqaTask.prompt(value)).toBe(one?.prompt);
    expect(prontoqaTask.verify(value, one?.completion ?? "")).toMatchObject({
      correct: true,
      traceCorrect: true,
    });
  });

  test.each([
    [{ answer: "True" }, /x\.json: example1.*its proof says False/s],
    [{ question: "Vumpuses be lempuses." }, /"Vumpuses be lempuses\.", which states nothing/],
    [{ chain_of_thought: ["Max is a vumpus."] }, /does not end in what is asked/],
    [{ answer: "Maybe" }, /x\.json.*no PrOntoQA file/s],
  ])("%j is refused", (changes, message) => {
    expect(() => read(changes)).toThrow(message);
  });
});

const folder = "prontoqa";
describe.skipIf(missing(folder))(`published problems (needs ../shared/data/${folder})`, () => {
  test.each([
    ["generated_5hop_0shot_random_3000.json", 3000, 1471],
    ["logicllm_dev_5hop_500.json", 500, 258],
  ])("%s", (file, count, countTrue) => {
    const json: unknown = JSON.parse(readFileSync(sharedData(`${folder}/${file}`), "utf8"));
    const problems = readProntoqa(json, file);
    expect(problems).toHaveLength(count);
    expect(problems.filter(({ answer }) => answer === "True")).toHaveLength(countTrue);
    // Reading has compared all answers with their proofs; every tenth proof is checked formally.
    for (const { value, completion = "" } of problems.filter((_, i) => i % 10 === 0)) {
      const published = value as LogicProblem;
      expect(prontoqaTask.verify(published, completion).correct).toBe(true);
      const { strict, steps } = checkProof(published, completion);
      expect(strict).toBe(true);
      expect(steps.every(({ label }) => label === "useful")).toBe(true);
    }
  });
});
