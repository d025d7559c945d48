import { describe, expect, test } from "vitest";
import {
  characterTokenizer,
  findTask,
  hierarchicalTemplateSchema,
  type Problem,
  type ProblemSource,
  taskDefinitions,
  taskConfigSchema,
  taskSource,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const random = new Random(7);

/** Options of the tasks beside the defaults, by name. */
const variants: Record<string, object[]> = {
  addition: ["scratchpad", "carries", "reversed", "direct"].map((style) => ({ style })),
  chain: [
    ...["full", "compact", "terse", "direct"].map((style) => ({ style, wording: "symbols" })),
    { style: ["full", "compact", "terse"], verbosity: 0.7, modulus: 10 },
    { wording: "table", hidden: true, distractors: 0, modulus: 10, style: "compact" },
    { mistakes: ["slip", "carry", "operand", "operation", "order", "copy", "modulus"] },
    { template: {}, style: "compact", verbosity: 0.5, talk: ["detour", "check"] },
    { template: { step: "({key}) {step}", summary: "{keys}.", key: "[0-9]+" }, modulus: 10 },
  ],
  multiplication: [{ spaces: false, maxDigits: 3 }, { style: "direct" }],
  prontoqa: [
    ...["full", "conclusions", "direct"].map((style) => ({ style })),
    { wording: "symbols", distractors: 0, hidden: false },
    { hidden: true, mistakes: ["negation"] },
    { template: {} },
  ],
  kb2: [
    ...["options", "facts", "direct"].map((style) => ({ style })),
    { table: "known", entities: 16 },
    { wording: "sentences" },
    { template: {} },
  ],
  tool: [{ style: "acts" }, { modulus: 10, maxHops: 2 }],
};

/** A ranking has no steps that follow from each other. */
const withSteps = taskDefinitions.filter((task) => "checkSteps" in task);

const cases = withSteps.flatMap(({ name }) =>
  [{}, ...(variants[name] ?? [])].map((options) => [name, options] as const),
);

function sourceOf(type: string, { template, ...options }: { template?: object }): ProblemSource {
  return taskSource(taskConfigSchema.parse({ type, ...options }), {
    template: template && hierarchicalTemplateSchema.parse(template),
  });
}

function problems(source: ProblemSource, count = 12): Problem[] {
  return (["train", "longer"] as const).flatMap((split) =>
    Array.from({ length: count }, (_, i) => source.problem(split, i, random)),
  );
}

test("only rankings have no steps", () => {
  const others = taskDefinitions.filter((task) => !("checkSteps" in task));
  expect(others.map(({ name }) => name)).toEqual(["rerank"]);
});

describe.each(cases)("%s %j", (type, options) => {
  const source = sourceOf(type, options);

  test("what the oracle writes is right, step by step and within the alphabet", () => {
    const tokenizer = characterTokenizer({ alphabet: source.alphabet as string });
    for (const problem of problems(source)) {
      const { prompt, completion = "", hidden = "" } = problem;
      expect(tokenizer.decode(tokenizer.encode(prompt + completion + hidden))).toBe(
        prompt + completion + hidden,
      );
      expect(source.verify(problem, completion)).toMatchObject({
        correct: true,
        traceCorrect: true,
        answer: problem.answer,
      });
      const steps = source.checkSteps?.(problem, completion) ?? [];
      expect(steps.length).toBeGreaterThan(0);
      let last = 0;
      for (const { start, end, correct } of steps) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThan(start);
        expect(correct, completion.slice(start, end)).toBe(true);
        last = end;
      }
      expect(last).toBe(completion.length);
    }
  });

  test("a solution that is cut off behind any step is continued to the right answer", () => {
    for (const problem of problems(source, 6)) {
      const { completion = "" } = problem;
      const ends = source.checkSteps?.(problem, completion).map(({ end }) => end) ?? [];
      for (const end of [0, ...ends]) {
        const prefix = completion.slice(0, end);
        const rest = source.continueFrom?.(problem, prefix, {}, random) ?? "";
        const whole = prefix + rest;
        expect(source.verify(problem, whole).correct, JSON.stringify([prefix, rest])).toBe(true);
        const steps = source.checkSteps?.(problem, whole) ?? [];
        expect(steps.every(({ correct }) => correct)).toBe(true);
      }
    }
  });

  test("a wrong solution has a wrong step, before which it can be taken over", () => {
    for (const problem of problems(source, 6)) {
      const wrong = source.solve?.(problem, { errorRate: 1 }, random) ?? "";
      expect(source.verify(problem, wrong), wrong).toMatchObject({
        correct: false,
        traceCorrect: false,
      });
      const steps = source.checkSteps?.(problem, wrong) ?? [];
      const first = steps.findIndex(({ correct }) => !correct);
      expect(first, wrong).toBeGreaterThanOrEqual(0);
      const prefix = wrong.slice(0, steps[first - 1]?.end ?? 0);
      const whole = prefix + (source.continueFrom?.(problem, prefix, {}, random) ?? "");
      expect(source.verify(problem, whole).correct, whole).toBe(true);
    }
  });

  test("before separators without a step a solution can be taken over too", () => {
    for (const problem of problems(source, 3)) {
      for (const separator of [",", "\n", ":", ",,"]) {
        for (const text of [separator, `${separator}${problem.completion ?? ""}`]) {
          const steps = source.checkSteps?.(problem, text) ?? [];
          const error = steps.find(({ correct }) => !correct);
          const prefix = text.slice(0, error?.start ?? steps.at(-1)?.end ?? 0);
          const whole = prefix + (source.continueFrom?.(problem, prefix, {}, random) ?? "");
          expect(source.verify(problem, whole).correct, whole).toBe(true);
        }
      }
    }
  });
});

test("options that a task does not have are named", () => {
  const source = sourceOf("chain", {});
  const problem = source.problem("train", 0, random);
  expect(() => source.solve?.(problem, { stile: "full" }, random)).toThrow(
    /the task chain has no option "stile"\..*"?style/s,
  );
  expect(() => source.solve?.(problem, { style: "loud" }, random)).toThrow(
    /the task chain cannot be solved so/,
  );
  expect(() => findTask("chian")).toThrow(/there is no task "chian"\..*chain/s);
});

test("what is hidden is the problem in symbols, and only where it is asked for", () => {
  const problemOf = (options: object) => sourceOf("chain", options).problem("train", 0, random);
  const table = problemOf({ wording: "table", hidden: true });
  expect(table.hidden).toBe(problemOf({ wording: "symbols" }).prompt);
  expect(table.prompt).not.toContain(table.hidden);
  expect(problemOf({ wording: "table" }).hidden).toBeUndefined();
  expect(() => problemOf({ wording: "symbols", hidden: true })).toThrow(/hides nothing/);
});
