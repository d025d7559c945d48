import { describe, expect, test } from "vitest";
import {
  characterTokenizer,
  type Problem,
  type ProblemSource,
  type Verification,
} from "../../../../src/data/index.js";
import {
  budgetFidelity,
  checkRewards,
  combineRewards,
  defineReward,
  evaluateRewards,
  exactReward,
  findReward,
  lengthShape,
  type RewardDefinition,
  type RewardRow,
  rewardTerm,
  rewardTermFromConfig,
  rewardTermSchema,
  rewardLabels,
} from "../../../../src/rollouts/index.js";
import { z } from "zod";

const problem: Problem = { id: "sum/1", prompt: "1+1=", answer: "2" };
const verify = (text: string): Verification => {
  const answer = /:(\d)$/.exec(text)?.[1];
  return { correct: answer === "2", answer, traceCorrect: false };
};
const problems = {
  name: "sums",
  size: () => undefined,
  problem: () => problem,
  verify: (_problem: Problem, text: string) => verify(text),
} satisfies ProblemSource;
const tokenizer = characterTokenizer({ alphabet: "0123456789+=:abc§\n" });
const context = { problems, tokenizer, maxNewTokens: 20 };

type Changes = Partial<Omit<RewardRow, "sampled">> & {
  readonly sampled?: Partial<RewardRow["sampled"]>;
};

function row(completion: string, { sampled, ...changes }: Changes = {}): RewardRow {
  const ids = tokenizer.encode(completion);
  return {
    ...{ problem, prompt: "1+1=", completion, length: ids.length, answers: [] },
    verification: verify(completion),
    sampled: {
      ...{ problem: 0, promptIds: tokenizer.encode("1+1="), completionIds: ids, finished: true },
      ...{ tokenLogProbs: ids.map(() => -1), own: ids.map(() => 1), source: "student" },
      ...sampled,
    },
    ...changes,
  };
}

function value(name: string, given: RewardRow, options: Record<string, unknown> = {}): number {
  const { definition, config } = rewardTerm(findReward(name), options);
  return definition.evaluate(given, config, context);
}

test("exact is what the source of the problems says", () => {
  expect(value("exact", row("1:2"))).toBe(1);
  expect(value("exact", row("1:3"))).toBe(0);
  expect(value("exact", row("1:3"), { right: 2, wrong: -1 })).toBe(-1);
});

describe("format", () => {
  test("strict wants a completion that ends with an answer, right or wrong", () => {
    expect(value("format", row("a:3"))).toBe(1);
    expect(value("format", row("a:3b"))).toBe(0);
    expect(value("format", row("a:3", { sampled: { finished: false } }))).toBe(0);
    expect(value("format", row("a"), { missing: -1 })).toBe(-1);
  });

  test("lenient takes one from any line", () => {
    const lenient = { mode: "lenient" };
    expect(value("format", row("a:3\nabc"), lenient)).toBe(1);
    expect(value("format", row("a:3", { sampled: { finished: false } }), lenient)).toBe(1);
    expect(value("format", row("a:3b"), lenient)).toBe(0);
  });

  test("looks for a form of one's own", () => {
    expect(value("format", row("abc"), { pattern: "b" })).toBe(0);
    expect(value("format", row("abc"), { pattern: "c" })).toBe(1);
    expect(value("format", row("abc"), { pattern: "b", mode: "lenient" })).toBe(1);
    expect(() => value("format", row(""), { pattern: "(" })).toThrow(/no regular expression/);
  });
});

describe("length", () => {
  test("has the shapes of its description", () => {
    // 1 − (1 − x/p)² and 1 − 2((x − p)/(1 − p))² with p = 1/2.
    const peak = [0, 0.25, 0.5, 0.75, 1].map((x) => lengthShape("peak", x, 0.5));
    expect(peak).toEqual([0, 0.75, 1, 0.5, -1]);
    const overlong = [0.5, 0.8, 0.9, 1].map((x) => lengthShape("overlong", x, 0.8));
    expect(overlong[0]).toBeCloseTo(0);
    expect(overlong[1]).toBeCloseTo(0);
    expect(overlong[2]).toBeCloseTo(-0.5);
    expect(overlong[3]).toBe(-1);
    expect(lengthShape("shorter", 0.25, 0.5)).toBe(0.75);
  });

  test("is of the longest that may be written, or of a length that is given", () => {
    expect(value("length", row("aaaaa"))).toBe(0.75);
    expect(value("length", row("aaaaa"), { longest: 10 })).toBe(1);
    expect(value("length", row("aaaaa"), { longest: 2 })).toBe(-1);
  });
});

describe("budget-product", () => {
  test("falls beyond the budget and, where asked, below it", () => {
    const plain = { tolerance: 0.5, unused: 1 };
    expect([4, 8, 10, 12, 20].map((length) => budgetFidelity(length, 8, plain))).toEqual([
      1, 1, 0.5, 0, 0,
    ]);
    expect(budgetFidelity(4, 8, { tolerance: 0.5, unused: 0.9 })).toBeCloseTo(0.95);
    expect(budgetFidelity(10, 8, { tolerance: 0.5, unused: 0.9 })).toBeCloseTo(0.5);
  });

  test("is nothing for a wrong answer, however brief", () => {
    expect(value("budget-product", row(":3"), { budget: 8 })).toBe(0);
    expect(value("budget-product", row(":2"), { budget: 8 })).toBe(1);
  });

  test("has its budget from the sampler, the prompt or the config", () => {
    const long = row("abc:2");
    const options = { budget: 1, pattern: "b=(\\d+)", marks: { "§": 4 } };
    expect(value("budget-product", long, options)).toBe(0);
    expect(value("budget-product", { ...long, prompt: "§1+1=" }, options)).toBe(0.5);
    expect(value("budget-product", { ...long, prompt: "b=5 1+1=" }, options)).toBe(1);
    expect(value("budget-product", row("abc:2", { sampled: { budget: 5 } }), options)).toBe(1);
    expect(() => value("budget-product", long)).toThrow(/knows no budget.*pattern or marks/);
  });
});

test("key-step tells a correction from the old error and from something new", () => {
  const keyStep = { error: "1+1=3\nx", correction: "1+1=2" };
  const given = (text: string) => row(text, { sampled: { keyStep } });
  expect(value("key-step", given("a:2"))).toBe(1);
  expect(value("key-step", given("1+1=2\n:9"))).toBe(0.5);
  expect(value("key-step", given("1+1=4"))).toBe(0.1);
  expect(value("key-step", given("1+1=3\n"))).toBe(0);
  expect(() => value("key-step", row("a"))).toThrow(/sampler that begins at the first error/);
});

describe("likelihood", () => {
  const term = rewardTerm(findReward("likelihood"), { separator: ":", temperature: 0.7 });

  test("asks about the solution behind the explanation, and of the explanation by both", () => {
    const [endId = -1] = tokenizer.endIds;
    const { answers: _, ...given } = row("ab", {
      sampled: { completionIds: [...tokenizer.encode("ab"), endId] },
    });
    const asked = term.definition.ask?.(given, term.config, context) ?? [];
    const shown = asked.map(({ model, promptIds, completionIds }) => [
      model,
      tokenizer.decode(promptIds),
      tokenizer.decode(completionIds),
    ]);
    expect(shown).toEqual([
      ["teacher", "1+1=ab:", "2"],
      ["student", "1+1=", "ab"],
      ["teacher", "1+1=", "ab"],
    ]);
    expect(asked.map(({ temperature }) => temperature)).toEqual([0.7, 0.7, 0.7]);
    // The end token is no part of the explanation.
    expect(asked[1]?.completionIds).toHaveLength(2);
  });

  test("is what the formula says", () => {
    const answers = [
      [-1, -3],
      [-0.5, -1],
      [-1, -0.5],
    ];
    // r_SS = −2 − 0.03; ℓ = 0.5, −0.5; r_KL = 3 · 0 + 0.03 · 0.5.
    expect(value("likelihood", row("ab", { answers }))).toBeCloseTo(-2.03 - 0.015, 9);
    const weights = { solutionMean: 0, solutionMin: 1, klMean: 1, klMax: 0 };
    const uneven = [
      [-1, -3],
      [-0.5, -1],
      [-2, -2],
    ];
    expect(value("likelihood", row("ab", { answers: uneven }), weights)).toBeCloseTo(-3 - 1.25, 9);
    expect(value("likelihood", row("", { answers: [[-2], [], []] }))).toBeCloseTo(-2.02, 9);
  });
});

describe("rewards together", () => {
  test("are summed, multiplied or gated", () => {
    expect(combineRewards([1, 2], [0.5, -1], "sum")).toBe(-1.5);
    expect(combineRewards([0.5, 0.4], [1, 1], "product")).toBeCloseTo(0.2);
    expect(combineRewards([1, 0.5], [0.5, 1], "gate")).toBe(1);
    expect(combineRewards([0, 0.5], [0.5, 1], "gate")).toBe(0);
    expect(combineRewards([0, -0.5], [0.5, 1], "gate")).toBe(-0.5);
  });

  test("keep their values before the weights, by names that are told apart", () => {
    const config = [
      { type: "format", weight: 0.5 },
      { type: "format", weight: 0.5, mode: "lenient" },
      { type: "exact" },
    ];
    const terms = config.map((term) => rewardTermFromConfig(rewardTermSchema.parse(term)));
    expect(rewardLabels(terms)).toEqual(["format", "format-2", "exact"]);
    const reward = evaluateRewards(terms, "sum", row("a:2\nb"), [], context);
    expect(reward).toEqual({ total: 0.5, values: [0, 1, 0] });
  });

  test("that are no numbers are said to be none", () => {
    const broken: RewardDefinition = { ...exactReward, evaluate: () => Number.NaN } as never;
    expect(() => evaluateRewards([rewardTerm(broken, {})], "sum", row("a"), [], context)).toThrow(
      /reward exact: gives NaN.*completion was "a"/,
    );
  });
});

describe("a run with rewards that cannot teach is refused", () => {
  const supply = { problems, hasTeacher: false, hasOtherSignal: false, givesKeySteps: false };
  const exact = rewardTerm(exactReward, {});

  test("none at all, none that weighs anything, a product with weights", () => {
    expect(() => checkRewards([], "sum", supply)).toThrow(/no rewards, and nothing else/);
    expect(() => checkRewards([], "sum", { ...supply, hasOtherSignal: true })).not.toThrow();
    const idle = [rewardTerm(exactReward, {}, 0)];
    expect(() => checkRewards(idle, "sum", supply)).toThrow(/All rewards have the weight 0/);
    const weighed = [exact, rewardTerm(exactReward, {}, 2)];
    expect(() => checkRewards(weighed, "product", supply)).toThrow(/product.*no weights/);
    expect(() => checkRewards(weighed, "sum", supply)).not.toThrow();
  });

  test("those whose needs are not met", () => {
    const asks = (name: string) => () =>
      checkRewards([rewardTerm(findReward(name), {})], "sum", supply);
    expect(asks("likelihood")).toThrow(/asks a teacher, but there is none/);
    expect(asks("key-step")).toThrow(/which step went wrong/);
    const budgeted = { ...supply, givesBudgets: false };
    const product = (options: Record<string, unknown>) => () =>
      checkRewards([rewardTerm(findReward("budget-product"), options)], "sum", budgeted);
    expect(product({})).toThrow(/knows no budget.*the sampler sets none/);
    expect(product({ budget: 8 })).not.toThrow();
    const own = defineReward({
      ...{ name: "own", summary: "", reference: "", needs: ["checkSteps"] as const },
      config: z.strictObject({}),
      evaluate: () => 0,
    });
    expect(() => checkRewards([rewardTerm(own, {})], "sum", supply)).toThrow(
      /judgements of steps, which sums does not give/,
    );
  });

  test("a name that there is none of", () => {
    expect(() => findReward("exakt")).toThrow(/Did you mean "exact"/);
    expect(() => rewardTerm(exactReward, { rigth: 1 } as never)).toThrow(/rigth/);
  });
});
