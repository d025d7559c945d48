import { describe, expect, test } from "vitest";
import { kb2Task, type TableProblem, taskItems } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const problem: TableProblem = {
  world: {
    links: [
      [1, 2],
      [2, 0],
      [0, 1],
    ],
    values: [
      [0, 1],
      [3, 2],
      [1, 1],
    ],
  },
  question: { subject: 0, relations: [0], attribute: 0 },
  options: [2, 3, 0, 1],
  wording: "symbols",
  table: "known",
};
const config = (changes: object = {}) => kb2Task.config.parse(changes);
const trace = "a.u=b\nb.w=3\nA!2\nB=3\nC!0\nD!1\nB";

describe("kb2", () => {
  test("asks for the attribute of another, with or without the table", () => {
    expect(kb2Task.prompt(problem)).toBe("a.u.w? A:2 B:3 C:0 D:1\n");
    expect(kb2Task.prompt({ ...problem, table: "given" })).toBe(
      "a.u=b;a.v=c;a.w=0;a.x=1;b.u=c;b.v=a;b.w=3;b.x=2;c.u=a;c.v=b;c.w=1;c.x=1;a.u.w? A:2 B:3 C:0 D:1\n",
    );
    expect(kb2Task.prompt({ ...problem, wording: "sentences" })).toBe(
      "ann's friend's hat? A:gold B:pink C:red D:blue\n",
    );
    expect(kb2Task.oracle(problem, config(), new Random(1))).toBe(trace);
    expect(kb2Task.answer(problem)).toBe("B");
  });

  test.each([
    [trace, true, true],
    ["B", true, true],
    ["a.u=b\nb.w=3\nB", true, true],
    ["so B", true, false],
    ["C", false, false],
    ["AB", false, false],
    ["", false, false],
  ])("verifies %j as %s", (completion, correct, traceCorrect) => {
    expect(kb2Task.verify(problem, completion)).toMatchObject({ correct, traceCorrect });
  });

  test("judges steps, of traces that break off too", () => {
    const judged = (text: string) => kb2Task.checkSteps?.(problem, text).map((s) => s.correct);
    expect(judged("a.u=b\nb.w=2\nA=2")).toEqual([true, false, false]);
    expect(judged("a.u=b\nb.w=3\nA!2")).toEqual([true, true, true]);
    expect(judged("a.u=c")).toEqual([false]);
    expect(judged("C")).toEqual([false]);
  });

  test("what one gets without a hop is among the options", () => {
    for (const { problem: p } of taskItems(kb2Task, config(), "train", new Random(2), 100)) {
      const { world, question, options } = p;
      expect(options).toContain(world.values[question.subject]?.[question.attribute]);
      expect(new Set(options).size).toBe(4);
    }
  });

  test("a known table is one for all problems, another with another seed", () => {
    const worlds = (changes: object) => {
      const options = config({ table: "known", entities: 12, ...changes });
      const items = taskItems(kb2Task, options, "train", new Random(3), 20);
      return new Set(items.map((item) => JSON.stringify(item.problem.world)));
    };
    const [one] = worlds({});
    expect(worlds({}).size).toBe(1);
    expect(worlds({ world: 2 }).has(one as string)).toBe(false);
    expect(worlds({ table: "given" }).size).toBe(20);
  });

  test("a mistaken hop answers about the entity itself", () => {
    const wrong = config({ errorRate: 1, mistakes: ["hop"] });
    expect(kb2Task.oracle(problem, wrong, new Random(1))).toBe("a.w=0\nA!2\nB!3\nC=0\nD!1\nC");
  });
});
