import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TokenSequence } from "../../../src/data/index.js";
import { forwardKlLoss, lossTerm } from "../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { AdamW, defaultSchedule } from "../../../src/optim/index.js";
import { modelTeacher, type Teacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { distill, type DistillOptions, type StepMetrics } from "../../../src/trainers/index.js";
import { rowsOnPolicy } from "../../../src/trainers/distill.js";

const vocabSize = 9;
const tokenizer = { endIds: [8], padId: 0 };

function tinyModel(seed: number, maxPositions = 24) {
  const config = { family: "llama", vocabSize, hiddenSize: 8, numLayers: 1, numHeads: 2 };
  const more = { maxPositions, intermediateSize: 8, initializerRange: 0.4 };
  return initializeDecoder(modelConfigSchema.parse({ ...config, ...more }), new Random(seed));
}

/** Every step's batches as the teacher is given them. */
interface Seen {
  readonly rows: TokenSequence[][];
  readonly random: number[];
  updates: number;
}

/** Trains on rows of which every step has the same, and a student that does not move. */
async function train(options: Partial<DistillOptions> = {}, changes: Partial<Teacher> = {}) {
  using student = tinyModel(1);
  using scorer = modelTeacher(tinyModel(2));
  const seen: Seen = { rows: [], random: [], updates: 0 };
  const teacher: Teacher = {
    ...scorer,
    score: (batch, needs, context) => {
      // Micro-batches of a step come with the index of their first row.
      if (context?.firstRow === 0) seen.rows.push([]);
      seen.rows.at(-1)?.push(...batch.sequences);
      if (context !== undefined) seen.random.push(context.random.nextUint32());
      return scorer.score(batch, needs, context);
    },
    afterStep: () => {
      seen.updates += 1;
    },
    ...changes,
  };
  using optimizer = new AdamW(student.parameters);
  const rows = [1, 2, 3, 4].map((id) => ({ ids: [id, 5, 6, 7], completionStart: 2, id: `${id}` }));
  const metrics: StepMetrics[] = [];
  for await (const step of distill({
    ...{ student, teacher, optimizer, tokenizer, random: new Random(3), steps: 3, batchSize: 4 },
    loss: [lossTerm(forwardKlLoss, {})],
    data: {
      rows: () => rows,
      promptOf: ({ ids, completionStart }) => ids.slice(0, completionStart),
    },
    maxNewTokens: 5,
    schedule: { ...defaultSchedule, learningRate: 1e-12 },
    ...options,
  })) {
    metrics.push(step);
  }
  return { metrics, seen };
}

const idsOf = (rows: readonly TokenSequence[] | undefined) => rows?.map(({ ids }) => ids);

describe("on-policy rows", () => {
  test("are drawn anew at every step, and the same when the step is run again", async () => {
    const { seen } = await train();
    const steps = seen.rows.map(idsOf);
    expect(steps).toHaveLength(3);
    expect(steps[0]).not.toEqual(steps[1]);
    expect(steps[1]).not.toEqual(steps[2]);
    expect(steps[0]).not.toEqual(steps[2]);
    const resumed = await train({ startStep: 2 });
    expect(resumed.seen.rows.map(idsOf)).toEqual(steps.slice(2));
    expect(new Set(seen.random).size).toBe(3);
    expect(resumed.seen.random).toEqual(seen.random.slice(2));
  });

  test("are of another draw under another seed, and differ between rows", async () => {
    const [one, other] = [
      await train({ steps: 1 }),
      await train({ steps: 1, random: new Random(4) }),
    ];
    expect(idsOf(one.seen.rows[0])).not.toEqual(idsOf(other.seen.rows[0]));
    const same = { ids: [1, 5, 6, 7], completionStart: 2 };
    const data = { rows: () => [same, same, same, same], promptOf: () => [1, 5] };
    const { seen } = await train({ steps: 1, data });
    expect(new Set(idsOf(seen.rows[0])?.map(String)).size).toBeGreaterThan(1);
  });

  test("come from the first rows of the data; the rest stays as it is", async () => {
    const { metrics, seen } = await train({ onPolicyFraction: 0.5 });
    for (const rows of seen.rows) {
      expect(rows).toHaveLength(4);
      expect(rows.map(({ ids, completionStart }) => ids.slice(0, completionStart))).toEqual([
        ...[1, 2, 3, 4].map((id) => [id, 5]),
      ]);
      // A student's row carries the data's own completion as reference.
      expect(rows.slice(0, 2).map(({ reference }) => reference)).toEqual([
        [6, 7],
        [6, 7],
      ]);
      expect(idsOf(rows.slice(2))).toEqual([
        [3, 5, 6, 7],
        [4, 5, 6, 7],
      ]);
    }
    expect(metrics.map(({ onPolicyShare }) => onPolicyShare)).toEqual([0.5, 0.5, 0.5]);
  });

  test("without any, nothing is reported of them", async () => {
    const { metrics, seen } = await train({ onPolicyFraction: 0, steps: 1 });
    expect(idsOf(seen.rows[0])?.[0]).toEqual([1, 5, 6, 7]);
    expect(metrics[0]?.onPolicyShare).toBe(0);
    expect(metrics[0]).not.toHaveProperty("rolloutLength");
    expect(metrics[0]).not.toHaveProperty("rolloutEndRate");
  });

  test("their mean length and the share that ended are those of the step", async () => {
    const { metrics, seen } = await train({ steps: 2, maxNewTokens: 3 });
    for (const [step, { rolloutLength, rolloutEndRate, tokens }] of metrics.entries()) {
      const completions = (seen.rows[step] ?? []).map(({ ids }) => ids.slice(2));
      const total = completions.reduce((sum, { length }) => sum + length, 0);
      expect(Math.max(...completions.map(({ length }) => length))).toBe(3);
      expect(rolloutLength).toBeCloseTo(total / 4, 12);
      expect(rolloutEndRate).toBe(completions.filter((ids) => ids.at(-1) === 8).length / 4);
      expect(tokens).toBe(total);
    }
    const endless = await train({ steps: 1, maxNewTokens: 3, tokenizer: { endIds: [], padId: 0 } });
    expect(endless.metrics[0]?.rolloutLength).toBe(3);
    expect(endless.metrics[0]).not.toHaveProperty("rolloutEndRate");
  });
});

test("steps are counted from 1, with the schedule's learning rate, and the teacher follows", async () => {
  const schedule = { ...defaultSchedule, learningRate: 1e-9, schedule: "linear" as const };
  const { metrics, seen } = await train({
    schedule: { ...schedule, finalLearningRateFraction: 0 },
  });
  expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(metrics.map(({ learningRate }) => learningRate)).toEqual([1e-9, 5e-10, 0]);
  expect(seen.updates).toBe(3);
  for (const { elapsedMs } of metrics) expect(elapsedMs).toBeGreaterThan(0);
});

test("rows that a teacher routes are counted over all micro-batches, if it routes any", async () => {
  using scorer = modelTeacher(tinyModel(2));
  const score: Teacher["score"] = async (batch, needs, context) => {
    const scores = await scorer.score(batch, needs, context);
    const first = context?.firstRow === 0;
    return { ...scores, routedRows: first ? { one: 2 } : { one: 1, two: 1 } };
  };
  const options = { steps: 1, gradientAccumulationSteps: 2 };
  const { metrics } = await train(options, { score });
  expect(metrics[0]?.routedRows).toEqual({ one: 3, two: 1 });
  expect((await train(options)).metrics[0]).not.toHaveProperty("routedRows");
});

test("what nobody sets is the documented default", async () => {
  const counted: number[] = [];
  const rows = Array.from({ length: 16 }, () => ({ ids: [1, 5], completionStart: 1 }));
  const data = {
    rows: (_step: number, count: number) => {
      counted.push(count);
      return rows;
    },
    promptOf: () => [1],
  };
  using student = tinyModel(1, 100);
  using teacher = modelTeacher(tinyModel(2, 100));
  using optimizer = new AdamW(student.parameters);
  const ended = { ...tokenizer, endIds: [] };
  const loss = [lossTerm(forwardKlLoss, {})];
  const run = distill({
    ...{ student, teacher, optimizer, loss, data, tokenizer: ended, steps: 1 },
    random: new Random(1),
  });
  const { value } = (await run.next()) as { value: StepMetrics };
  await run.return(undefined);
  expect(counted).toEqual([16]);
  expect(value.onPolicyShare).toBe(1);
  expect(value.rolloutLength).toBe(64);
  expect(value.learningRate).toBe(defaultSchedule.learningRate);
});

describe("rowsOnPolicy", () => {
  test.each([
    [1, 0.5, [0, 1, 0, 1]],
    [3, 0.5, [1, 2, 1, 2]],
    [10, 0.7, [7, 7, 7, 7]],
    [10, 0.1, [1, 1, 1, 1]],
    [4, 1, [4, 4, 4, 4]],
    [4, 0, [0, 0, 0, 0]],
    [2, 0.25, [0, 1, 0, 1]],
  ])("of %i rows, %f", (batchSize, fraction, expected) => {
    expect([0, 1, 2, 3].map((step) => rowsOnPolicy(step, batchSize, fraction))).toEqual(expected);
  });

  test("over any number of steps the share is right to less than a row", () => {
    const fraction = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(0.1, 0.7),
    );
    fc.assert(
      fc.property(fraction, fc.integer({ min: 1, max: 64 }), fc.nat(300), (share, size, steps) => {
        const rows = Array.from({ length: steps }, (_, i) => rowsOnPolicy(i, size, share));
        const sum = rows.reduce((total, count) => total + count, 0);
        const [least, most] = [Math.floor(share * size - 1e-6), Math.ceil(share * size)];
        expect(rows.every((count) => count >= least && count <= most)).toBe(true);
        expect(Math.abs(sum - share * size * steps)).toBeLessThan(1);
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});
