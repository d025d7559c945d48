/** Samplers in which a teacher model goes on: a small one that was trained to solve these problems. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  characterTokenizer,
  decodeCompletion,
  taskConfigSchema,
  taskSource,
  withCharacters,
} from "../../../../src/data/index.js";
import {
  type Decoder,
  initializeDecoder,
  modelConfigSchema,
} from "../../../../src/models/index.js";
import { AdamW, defaultSchedule } from "../../../../src/optim/index.js";
import {
  ownDistribution,
  runSampler,
  type Sampled,
  type SampledRow,
  type SamplerContext,
  samplerSchema,
  tracesOfRows,
} from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { sft } from "../../../../src/trainers/index.js";

const source = taskSource(
  taskConfigSchema.parse({ type: "chain", wording: "symbols", maxHops: 2, style: "terse" }),
);
const tokenizer = characterTokenizer({ alphabet: withCharacters(source.alphabet ?? "", "wait\n") });
const problems = Array.from({ length: 3 }, (_, i) => source.problem("train", i, new Random(3)));

function model(seed: number, hiddenSize: number): Decoder {
  const sizes = { vocabSize: tokenizer.vocabSize, hiddenSize, numLayers: 1, numHeads: 2 };
  const config = { ...sizes, family: "llama", maxPositions: 128, initializerRange: 0.1 };
  return initializeDecoder(modelConfigSchema.parse(config), new Random(seed));
}

let context: SamplerContext;
let [student, teacher]: Decoder[] = [];
const run = (config: object, changes: Partial<SamplerContext> = {}): Promise<Sampled> =>
  runSampler(samplerSchema.parse(config), problems, { ...context, ...changes });
const verdicts = ({ rows }: Sampled) =>
  tracesOfRows(rows, problems, context).map(({ correct }) => correct);
const text = ({ promptIds, completionIds }: SampledRow) =>
  decodeCompletion(tokenizer, promptIds, completionIds);
const tokens = (rows: readonly SampledRow[], own: 0 | 1) =>
  rows.reduce((sum, row) => sum + row.own.filter((mine) => mine === own).length, 0);

/** What the task itself does in the teacher's place, for it to learn. */
const lessons = [
  { type: "takeover" },
  { type: "guided-continue", samplesPerProblem: 2, share: 1 },
  { type: "inject", samplesPerProblem: 2, most: 1, styles: ["terse"] },
];

beforeAll(async () => {
  student = model(1, 8);
  teacher = model(2, 32);
  context = {
    ...{ problems: source, tokenizer, student, teacher, random: new Random(5) },
    ...{ policy: { ...ownDistribution, greedy: true }, maxNewTokens: 24 },
  };
  const shown = await Promise.all(lessons.map((config) => run(config)));
  const rows = shown
    .flatMap((sampled) => sampled.rows.filter((_, i) => verdicts(sampled)[i]))
    .map(({ promptIds, completionIds, own }) => ({
      ids: [...promptIds, ...completionIds],
      completionStart: promptIds.length,
      learned: [...promptIds.map(() => 0), ...own.map((mine) => 1 - mine)],
    }));
  using optimizer = new AdamW(teacher.trainableParameters());
  const schedule = { ...defaultSchedule, learningRate: 0.02, warmupSteps: 5 };
  const data = { rows: () => rows, promptOf: () => [] };
  let loss = 1;
  for await (const step of sft({
    ...{ student: teacher, data, optimizer, tokenizer, schedule, steps: 120 },
    batchSize: rows.length,
  })) {
    ({ loss } = step);
    if (loss < 0.01) break;
  }
  expect(loss, "the teacher has learned them").toBeLessThan(0.03);
}, 400_000);
afterAll(() => {
  student?.dispose();
  teacher?.dispose();
});

test("the student alone is never right here, and the teacher always", async () => {
  expect(verdicts(await run({ type: "plain", samplesPerProblem: 1 }))).not.toContain(true);
  expect(verdicts(await run({ type: "plain", samplesPerProblem: 1, by: "teacher" }))).not.toContain(
    false,
  );
});

test("takeover: the teacher goes on from the last right step, and pays for what it wrote", async () => {
  const sampled = await run({ type: "takeover", by: "teacher" });
  expect(verdicts(sampled)).toEqual([true, true, true]);
  const { rows, cost, measures } = sampled;
  expect(measures).toEqual({ takenOverRate: 1, correctionsPerRow: 1 });
  expect(rows.map(({ source: who }) => who)).toEqual(new Array(3).fill("student, teacher"));
  expect(tokens(rows, 0)).toBeGreaterThan(0);
  expect(cost.teacherForwards).toBe(tokens(rows, 0));
  expect(cost.teacherTokens).toBe(tokens(rows, 0));
  for (const row of rows) {
    expect(row.tokenLogProbs.every((logProb, t) => row.own[t] === 1 || logProb === 0)).toBe(true);
    expect(row.finished).toBe(true);
  }
});

test("takeover of one step: the student goes on after it", async () => {
  const { rows, cost } = await run({
    type: "takeover",
    by: "teacher",
    scope: "step",
    corrections: 1,
  });
  for (const row of rows) {
    const first = row.own.indexOf(0);
    expect(first).toBeGreaterThanOrEqual(0);
    // The first step is the teacher's whole, and right.
    const step = source.checkSteps?.(problems[row.problem] as never, text(row))?.[0];
    expect(step?.correct).toBe(true);
  }
  // It writes on to the end before it is cut back to one step: all of that is paid for.
  expect(cost.teacherTokens).toBeGreaterThanOrEqual(tokens(rows, 0));
});

test("guided-continue: behind the failed attempt and the feedback the teacher ends rightly", async () => {
  const config = { type: "guided-continue", samplesPerProblem: 2, share: 0.5 };
  const sampled = await run({ ...config, by: "teacher" });
  const { rows, measures, cost } = sampled;
  expect(measures).toEqual({ guidedRate: 0.5 });
  const guided = rows.filter((row) => row.source === "student, teacher");
  expect(guided.map(({ problem }) => problem)).toEqual([0, 1, 2]);
  expect(verdicts(sampled).filter(Boolean)).toHaveLength(3);
  const feedback = tokenizer.encode("\nwait\n").length;
  for (const row of guided) {
    const [attempt, solution] = text(row).split("\nwait\n");
    expect(row.own.indexOf(0)).toBe(tokenizer.encode(attempt as string).length);
    expect(source.verify(problems[row.problem] as never, solution as string).correct).toBe(true);
  }
  // The feedback was put there, not written by a pass of the teacher.
  expect(cost.teacherTokens).toBe(tokens(rows, 0));
  expect(cost.teacherForwards).toBe(tokens(rows, 0) - 3 * feedback);
});

test("inject: the teacher's whole traces replace failures, the wrong ones do not", async () => {
  const config = { type: "inject", from: "teacher", samplesPerProblem: 2, traces: 2, most: 1 };
  const sampled = await run(config);
  expect(sampled.measures).toEqual({ injectionRate: 0.5, injectedProblems: 1 });
  expect(verdicts(sampled).filter(Boolean)).toHaveLength(3);
  const injected = sampled.rows.filter(({ source: who }) => who === "teacher");
  expect(injected).toHaveLength(3);
  expect(tokens(injected, 1)).toBe(0);
  // Two traces of each problem were written, one of them used.
  expect(sampled.cost.teacherTokens).toBe(2 * tokens(injected, 0));
  const untrained = model(9, 8);
  const none = await run(config, { teacher: untrained });
  untrained.dispose();
  expect(none.measures).toEqual({ injectionRate: 0, injectedProblems: 0 });
  expect(none.cost.teacherTokens).toBeGreaterThan(0);
});
