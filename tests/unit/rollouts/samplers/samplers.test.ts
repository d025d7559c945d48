import { afterEach, describe, expect, test } from "vitest";
import {
  characterTokenizer,
  decodeCompletion,
  type Problem,
  taskConfigSchema,
  taskSource,
} from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import {
  ownDistribution,
  runSampler,
  type Sampled,
  type SampledRow,
  type SamplerContext,
  samplerSchema,
  scoreCompletions,
  tracesOfRows,
} from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";

type Changes = Partial<SamplerContext>;

const models: { dispose(): void }[] = [];
afterEach(() => {
  for (const made of models.splice(0)) made.dispose();
});

function model(vocabSize: number, seed: number) {
  const config = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize, hiddenSize: 8, numLayers: 1, numHeads: 2 },
    ...{ maxPositions: 128, initializerRange: 0.3 },
  });
  const made = initializeDecoder(config, new Random(seed));
  models.push(made);
  return made;
}

/** Two untrained models and six problems of a task. */
function setUp(task: object, changes: Changes = {}) {
  const problemsOf = taskSource(taskConfigSchema.parse(task));
  const tokenizer = characterTokenizer({ alphabet: `${problemsOf.alphabet ?? ""}§¤` });
  const problems = Array.from({ length: 6 }, (_, i) =>
    problemsOf.problem("train", i, new Random(3)),
  );
  const context: SamplerContext = {
    ...{ problems: problemsOf, tokenizer, policy: ownDistribution, maxNewTokens: 12 },
    student: model(tokenizer.vocabSize, 1),
    teacher: model(tokenizer.vocabSize, 2),
    random: new Random(5),
    ...changes,
  };
  const run = (config: object, asked: readonly Problem[] = problems): Promise<Sampled> =>
    runSampler(samplerSchema.parse(config), asked, context);
  const text = ({ promptIds, completionIds }: SampledRow) =>
    decodeCompletion(tokenizer, promptIds, completionIds);
  const verdicts = ({ rows }: Sampled) =>
    tracesOfRows(rows, problems, context).map(({ correct }) => correct);
  return { context, problems, tokenizer, run, text, verdicts };
}

const addition = { type: "addition", maxDigits: 2 };
const chain = { type: "chain", wording: "symbols", maxHops: 2 };
const tokensOf = (rows: readonly SampledRow[], own?: 0 | 1) =>
  rows.reduce(
    (sum, row) => sum + row.own.filter((mine) => own === undefined || mine === own).length,
    0,
  );

describe("plain", () => {
  test("costs a token and a pass for each that is written; log-probabilities are the student's", async () => {
    const { run, context } = setUp(addition);
    const { rows, cost } = await run({ type: "plain", samplesPerProblem: 3 });
    expect(rows.map(({ problem }) => problem)).toEqual(
      [0, 1, 2, 3, 4, 5].flatMap((p) => [p, p, p]),
    );
    const tokens = tokensOf(rows);
    expect(cost).toEqual({
      ...{ studentTokens: tokens, studentForwards: tokens },
      ...{ teacherTokens: 0, teacherForwards: 0 },
    });
    const scores = await scoreCompletions(context.student as never, rows, 0);
    for (const [i, row] of rows.entries()) {
      expect(row.own.every((mine) => mine === 1)).toBe(true);
      for (const [t, logProb] of row.tokenLogProbs.entries()) {
        expect(scores[i]?.[t]).toBeCloseTo(logProb, 4);
      }
    }
  });

  test("a row does not depend on how many others there are", async () => {
    const { run, problems } = setUp(addition);
    const many = await run({ type: "plain", samplesPerProblem: 20 });
    const few = await run({ type: "plain", samplesPerProblem: 2 }, problems.slice(0, 3));
    const ids = ({ completionIds }: SampledRow) => completionIds.join();
    const same = many.rows.filter((_, i) => i % 20 < 2 && i < 60).map(ids);
    expect(few.rows.map(ids)).toEqual(same);
  });

  test("tells the writer the answer in a prompt that the row keeps", async () => {
    const { run, problems, context, tokenizer } = setUp(addition);
    const told = { type: "plain", samplesPerProblem: 2, prefix: "§{answer}¤" };
    const { rows } = await run(told);
    const prompts = problems.map(({ prompt, answer }) => `§${answer}¤${prompt}`);
    expect(rows.map(({ prompt }) => prompt)).toEqual(prompts.flatMap((text) => [text, text]));
    expect(rows.map(({ promptIds }) => tokenizer.decode(promptIds))).toEqual(
      prompts.flatMap((text) => [text, text]),
    );
    const scores = await scoreCompletions(context.student as never, rows, 0);
    for (const [i, row] of rows.entries()) {
      expect(row).toMatchObject({ own: row.own.map(() => 1) });
      expect(row).not.toHaveProperty("shownPrompt");
      expect(scores[i]?.[0]).toBeCloseTo(row.tokenLogProbs[0] as number, 4);
    }
    expect(() => samplerSchema.parse({ ...told, prefix: "{good}" })).toThrow(/can have \{answer\}/);
    await expect(run({ ...told, prefix: "{hidden}" })).rejects.toThrow(
      /sampler\.prefix: \{hidden\} stands for nothing/,
    );
  });

  test("a teacher's rows are not the student's own", async () => {
    const { rows, cost } = await setUp(addition).run({ type: "plain", by: "teacher" });
    expect(tokensOf(rows, 1)).toBe(0);
    expect(rows.every((row) => row.tokenLogProbs.every((x) => x === 0))).toBe(true);
    expect(rows.every((row) => row.writerLogProbs?.every((x) => x < 0))).toBe(true);
    expect(cost).toMatchObject({ studentForwards: 0, teacherForwards: tokensOf(rows) });
  });
});

test("oracle: styles take turns, or each of them solves", async () => {
  const { run, text } = setUp(addition);
  const styles = ["direct", "scratchpad"];
  const turn = await run({ type: "oracle", styles, use: "turn" });
  expect(turn.rows.map((row) => text(row).includes(":"))).toEqual([0, 1, 0, 1, 0, 1].map(Boolean));
  const each = await run({ type: "oracle", styles, errorRate: 1 });
  expect(each.rows).toHaveLength(12);
  expect(setUp(addition).verdicts(each)).not.toContain(true);
  expect(each.cost).toMatchObject({ teacherTokens: tokensOf(each.rows), teacherForwards: 0 });
});

test("diverse: completions differ, and what is not found is counted", async () => {
  const { run, text } = setUp(addition);
  const oracle = { type: "diverse", by: "oracle", distinct: 3, attempts: 2 };
  const few = await run({ ...oracle, styles: ["direct", "carries"] });
  expect(few.rows).toHaveLength(12);
  expect(few.measures).toEqual({ notReached: 6, shortProblems: 6 });
  const written = await run({ type: "diverse", by: "student", distinct: 3 });
  for (let p = 0; p < 6; p++) {
    const own = written.rows.filter(({ problem }) => problem === p).map(text);
    expect(new Set(own).size).toBe(own.length);
  }
});

test("hinted: the writer reads more, and the row keeps the bare prompt", async () => {
  const { run, problems, context } = setUp(addition);
  const { rows } = await run({ type: "hinted" });
  expect(rows.map(({ prompt }) => prompt)).toEqual(problems.map(({ prompt }) => prompt));
  expect(rows.map(({ shownPrompt }) => shownPrompt)).toEqual(
    problems.map(({ prompt, answer }) => `§${answer}¤${prompt}`),
  );
  expect(tokensOf(rows, 1)).toBe(0);
  const asked = rows.map(({ shownPrompt = "", completionIds }) => ({
    promptIds: context.tokenizer.encode(shownPrompt),
    completionIds,
  }));
  const scores = await scoreCompletions(context.student as never, asked, 0);
  expect(scores[0]?.[0]).toBeCloseTo(rows[0]?.writerLogProbs?.[0] as number, 4);
});

test("hinted by a right and a wrong trace: problems that lack one are left out and counted", async () => {
  const given = ({ id, answer }: Problem) => [
    { completion: "7", finished: true, correct: false, source: "student" },
    ...(id.endsWith("0")
      ? [{ completion: answer, finished: true, correct: true, source: "student" }]
      : []),
  ];
  const { run, problems } = setUp(addition, { given });
  const { rows, measures } = await run({ type: "hinted", template: "{good}§{bad}¤{prompt}" });
  expect(measures).toEqual({ withoutHint: 5 });
  const [{ prompt, answer } = { prompt: "", answer: "" }] = problems;
  expect(rows.map(({ shownPrompt }) => shownPrompt)).toEqual([`${answer}§7¤${prompt}`]);
});

describe("mixed", () => {
  test("without a threshold the teacher writes all", async () => {
    const { run, tokenizer } = setUp(addition);
    const config = { type: "mixed", threshold: 0, topK: tokenizer.vocabSize };
    const { rows, cost, measures } = await run(config);
    expect(measures).toEqual({ vetoRate: 0, ownRate: 0 });
    const tokens = tokensOf(rows, 0);
    expect(cost).toEqual({
      ...{ studentTokens: 0, teacherTokens: tokens },
      ...{ studentForwards: tokens, teacherForwards: tokens },
    });
  });

  test("with a threshold of 1 the student writes all, from its likeliest token", async () => {
    const { run, context } = setUp(addition);
    const { rows, measures } = await run({ type: "mixed", threshold: 1, topK: 1 });
    expect(measures).toEqual({ vetoRate: 1, ownRate: 1 });
    const greedy = await runSampler(
      samplerSchema.parse({ type: "plain", samplesPerProblem: 1 }),
      setUp(addition).problems,
      { ...context, policy: { ...ownDistribution, greedy: true } },
    );
    expect(rows.map(({ completionIds }) => completionIds)).toEqual(
      greedy.rows.map(({ completionIds }) => completionIds),
    );
  });
});

test("teacher-mixed: the log-probabilities are those of the mixture", async () => {
  const { run, context } = setUp(addition);
  const { rows } = await run({ type: "teacher-mixed", teacherShare: 0.25 });
  const student = await scoreCompletions(context.student as never, rows, 0);
  const teacher = await scoreCompletions(context.teacher as never, rows, 0);
  for (const [i, row] of rows.entries()) {
    for (const [t, logProb] of row.tokenLogProbs.entries()) {
      const s = Math.exp(student[i]?.[t] as number);
      const p = Math.exp(teacher[i]?.[t] as number);
      expect(Math.exp(logProb)).toBeCloseTo(0.25 * p + 0.75 * s, 4);
    }
  }
});

describe("takeover", () => {
  test("after the first wrong step the task goes on to the right answer", async () => {
    const { run, verdicts, text } = setUp(chain);
    const sampled = await run({ type: "takeover" });
    expect(verdicts(sampled)).toEqual([true, true, true, true, true, true]);
    const { rows, cost, measures } = sampled;
    expect(measures).toEqual({ takenOverRate: 1, correctionsPerRow: 1 });
    expect(cost.teacherTokens).toBe(tokensOf(rows, 0));
    expect(cost.studentTokens).toBeGreaterThanOrEqual(tokensOf(rows, 1));
    expect(text(rows[0] as SampledRow)).toContain("=");
  });

  test("with scope step the student goes on, and is corrected again", async () => {
    const { run } = setUp(chain, { maxNewTokens: 40 });
    const { measures } = await run({ type: "takeover", scope: "step", corrections: 3 });
    expect(measures?.["correctionsPerRow"]).toBeGreaterThan(1);
    expect(measures?.["correctionsPerRow"]).toBeLessThanOrEqual(3);
  });
});

test("from-prefix: the beginning is neither own nor learned, and the key step is told", async () => {
  const given = (problem: Problem) => {
    const wrong = taskSource(taskConfigSchema.parse(chain)).solve;
    const completion = wrong?.(problem, { errorRate: 1 }, new Random(1)) ?? "";
    return [{ completion, finished: true, correct: false, source: "oracle" }];
  };
  const { run, text, problems } = setUp(chain, { given, maxNewTokens: 60 });
  const { rows } = await run({ type: "from-prefix", samplesPerProblem: 2 });
  expect(rows).toHaveLength(12);
  for (const row of rows) {
    const { completion = "" } = given(problems[row.problem] as Problem)[0] ?? {};
    const begun = row.own.filter((_, t) => row.learned?.[t] === 0);
    expect(begun.every((mine) => mine === 0)).toBe(true);
    expect(completion).toContain(text(row).slice(0, begun.length));
    expect(completion).toContain(row.keyStep?.error);
    expect(row.keyStep?.correction).not.toBe(row.keyStep?.error);
  }
});

test("from-prefix after an error: a mark says that something is wrong", async () => {
  const written = "b=1\nc=2";
  const given = () => [{ completion: written, finished: true, correct: false, source: "student" }];
  const { run, text } = setUp(chain, { given });
  const begin = async (more: object) => {
    const config = { type: "from-prefix", start: "after-error", samplesPerProblem: 1, ...more };
    const { rows } = await run(config);
    return text(rows[0] as SampledRow);
  };
  expect((await begin({})).startsWith("b=1\n")).toBe(true);
  expect((await begin({})).startsWith("b=1\nwait\n")).toBe(false);
  expect((await begin({ mark: "\nwait\n" })).startsWith("b=1\nwait\n")).toBe(true);
});

test("budgeted: the prompt names the budget", async () => {
  const { run, problems } = setUp(addition);
  const config = { type: "budgeted", budgets: [4, 8], use: "each", samplesPerProblem: 2 };
  const { rows } = await run(config);
  expect(rows.slice(0, 4).map(({ budget }) => budget)).toEqual([4, 4, 8, 8]);
  expect(rows[3]?.prompt).toBe(`§8¤${problems[0]?.prompt}`);
});

test("guided-continue: a share of the failed attempts ends rightly", async () => {
  const { run, verdicts, text } = setUp(chain);
  const config = { type: "guided-continue", samplesPerProblem: 4, share: 0.3 };
  const sampled = await run(config);
  expect(sampled.measures).toEqual({ guidedRate: 0.5 });
  expect(verdicts(sampled).filter(Boolean)).toHaveLength(12);
  const guided = sampled.rows.filter(({ source }) => source === "student, oracle");
  for (const row of guided) expect(text(row)).toContain("\nwait\n");
  expect(sampled.cost.teacherTokens).toBe(tokensOf(sampled.rows, 0));
});

test.each(["comprehension", "random"])(
  "inject, %s: failures become right traces",
  async (choose) => {
    const { run, verdicts } = setUp(chain);
    const styles = ["full", "terse", { style: "compact", errorRate: 1 }];
    const config = { type: "inject", samplesPerProblem: 4, styles, traces: 3, choose };
    const sampled = await run(config);
    expect(sampled.measures).toEqual({ injectionRate: 0.5, injectedProblems: 1 });
    expect(verdicts(sampled).filter(Boolean)).toHaveLength(12);
    expect(tokensOf(sampled.rows, 0)).toBeGreaterThan(0);
  },
);

test("tool-loop: what the world says is not learned", async () => {
  const tool = { type: "tool", maxHops: 1 };
  const { context, problems, tokenizer } = setUp(tool, { maxNewTokens: 10 });
  // A world that answers to every line end with a digit.
  const source = {
    ...context.problems,
    respond: (_: Problem, written: string) => (written.endsWith("=") ? "7" : undefined),
  };
  const { rows, cost } = await runSampler(
    samplerSchema.parse({ type: "tool-loop", samplesPerProblem: 40 }),
    problems,
    { ...context, problems: source },
  );
  const answered = rows.filter(({ learned }) => learned !== undefined);
  expect(answered.length).toBeGreaterThan(0);
  const equals = tokenizer.encode("=")[0];
  const seven = tokenizer.encode("7")[0];
  let said = 0;
  for (const { completionIds, learned, own } of rows) {
    for (const [t, id] of completionIds.entries()) {
      if (learned?.[t] !== 0) continue;
      said += 1;
      expect([id, completionIds[t - 1], own[t]]).toEqual([seven, equals, 0]);
    }
  }
  expect(cost.studentTokens).toBe(tokensOf(rows) - said);
});

test("what a sampler needs is said before it runs", () => {
  const { context, problems } = setUp(addition);
  const { checkSteps: _checkSteps, ...source } = context.problems;
  const config = samplerSchema.parse({ type: "takeover" });
  expect(() => runSampler(config, problems, { ...context, problems: source })).toThrow(
    'The sampler "takeover" cannot be used: task addition cannot judge steps (checkSteps). The tasks that can: addition, chain',
  );
});
