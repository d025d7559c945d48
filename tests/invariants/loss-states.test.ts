import { join } from "node:path";
import { expect, test } from "vitest";
import { metricsOf, runToEnd, stepsOf, tinyRun, weightsOf } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import { saveTinyTeacher } from "../setup/models/tiny-teacher.js";

/** What an evaluation says has no part in any of it. */
const evaluation = { every: 0, rows: 2 };

const loss = [
  { type: "taid", start: 0.2, rate: 0.5 },
  { type: "policy-gradient", weight: { from: 1, to: 0 } },
  { type: "sampled-kl", weight: 0.5 },
];

async function settings(folder: string, changes: object) {
  return {
    evaluation,
    teacher: { from: await saveTinyTeacher(folder), samples: 3 },
    trainer: { type: "distill", steps: 6, batchSize: 4, loss, advantageDiscount: 0.5, ...changes },
  };
}

test("a stopped run remembers the state of its losses and its place in their schedules", async () => {
  const folder = temporaryFolder();
  const changes = await settings(folder, { gradientAccumulationSteps: 2 });
  const whole = tinyRun(join(folder, "whole"), changes);
  const parts = tinyRun(join(folder, "parts"), changes);
  await runToEnd(whole);
  await runToEnd(parts, { stopAfter: 4 });
  await runToEnd(parts, { resume: true });

  expect(metricsOf(parts)).toEqual(metricsOf(whole));
  expect(weightsOf(parts, 6).equals(weightsOf(whole, 6))).toBe(true);
  const shares = stepsOf(whole).map(({ lossStates }) => lossStates?.["taid"]?.["interpolation"]);
  expect(shares).toHaveLength(6);
  expect(shares[0]).toBe(0.2);
  expect(shares.slice(2).every((share, i) => Number(share) > Number(shares[i + 1]))).toBe(true);
});

test("a stopped run remembers the average that is its teacher", async () => {
  const folder = temporaryFolder();
  const changes = {
    evaluation,
    teacher: { type: "self", emaDecay: 0.5, prompt: "1{prompt}" },
    trainer: { type: "distill", steps: 6, batchSize: 4, loss: [{ type: "reverse-kl" }] },
    student: {
      architecture: {
        ...{ family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 32 },
        initializerRange: 0.3,
      },
    },
  };
  const whole = tinyRun(join(folder, "whole"), changes);
  const parts = tinyRun(join(folder, "parts"), changes);
  await runToEnd(whole);
  await runToEnd(parts, { stopAfter: 4 });
  await runToEnd(parts, { resume: true });
  expect(metricsOf(parts)).toEqual(metricsOf(whole));
  expect(weightsOf(parts, 6).equals(weightsOf(whole, 6))).toBe(true);
  const losses = metricsOf(whole).flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
  expect(losses).toHaveLength(6);
  expect(losses.every((loss) => (loss as number) > 1e-4)).toBe(true);
});

test("the state advances once per step, however many micro-batches it has", async () => {
  const folder = temporaryFolder();
  const statesWith = async (gradientAccumulationSteps: number) => {
    const changes = await settings(folder, { gradientAccumulationSteps });
    const run = tinyRun(join(folder, `parts-${gradientAccumulationSteps}`), changes);
    await runToEnd(run);
    return stepsOf(run).map(({ lossStates }) => lossStates?.["taid"]);
  };
  const [one, four] = [await statesWith(1), await statesWith(4)];
  expect(one).toHaveLength(6);
  for (const [i, state] of one.entries()) {
    for (const field of ["interpolation", "improvement", "previousLoss"]) {
      const value = state?.[field];
      // What a loss does not remember yet is not in the log.
      if (i === 0 && value === undefined) continue;
      expect(four[i]?.[field], `step ${i + 1}, ${field}`).toBeCloseTo(Number(value), 4);
    }
  }
});
