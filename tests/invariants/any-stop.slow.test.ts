/** A training that stops after any step and goes on from its saved state is the one that never stopped. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TokenSequence } from "../../src/data/index.js";
import { forwardKlLoss, type LossState, lossTerm, taidLoss } from "../../src/losses/index.js";
import {
  decoderToTensors,
  initializeDecoder,
  modelConfigSchema,
  type TensorValues,
  variableState,
} from "../../src/models/index.js";
import { AdamW, type AdamWState, defaultSchedule } from "../../src/optim/index.js";
import { averageTeacher, type TeacherState } from "../../src/teachers/index.js";
import { Random } from "../../src/tensors/index.js";
import { distill, type StepMetrics } from "../../src/trainers/index.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 9, hiddenSize: 8, intermediateSize: 8, numLayers: 1 },
  ...{ numHeads: 2, maxPositions: 16, initializerRange: 0.4 },
});
const steps = 4;

interface Saved {
  readonly weights: ReadonlyMap<string, TensorValues>;
  readonly optimizer: AdamWState;
  readonly teacher: Awaited<ReturnType<TeacherState["read"]>>;
  readonly lossStates?: Readonly<Record<string, LossState>>;
}

interface Settings {
  readonly batchSize: number;
  readonly onPolicyFraction: number;
  readonly packing: boolean;
  readonly maxGradNorm: number;
}

/** Rows that are another draw at every step. */
function rowsOf(step: number, count: number): TokenSequence[] {
  const random = new Random(7).stream("rows", step);
  return Array.from({ length: count }, () => {
    const ids = Array.from({ length: 2 + random.integer(5) }, () => random.integer(9));
    return { ids, completionStart: 1 };
  });
}

/** Trains from `start` until `stop` steps are done; a student that follows its own average. */
async function train(settings: Settings, start: number, stop: number, saved?: Saved) {
  using student = initializeDecoder(config, new Random(saved === undefined ? 1 : 2));
  if (saved !== undefined) variableState(student.parameters, "student").restore(saved.weights);
  using teacher = averageTeacher(student, 0.9);
  using optimizer = new AdamW(student.parameters, { weightDecay: 0.1 });
  if (saved !== undefined) {
    teacher.state?.restore(saved.teacher);
    optimizer.restore(saved.optimizer);
  }
  const metrics: StepMetrics[] = [];
  for await (const step of distill({
    ...{ student, teacher, optimizer, steps, random: new Random(3), ...settings },
    ...{ loss: [lossTerm(taidLoss, {}), lossTerm(forwardKlLoss, {}, 0.5)], maxNewTokens: 4 },
    data: { rows: rowsOf, promptOf: ({ ids }) => ids.slice(0, 1) },
    tokenizer: { endIds: [8], padId: 0 },
    schedule: { ...defaultSchedule, learningRate: 0.05, warmupSteps: 1 },
    startStep: start,
    ...(saved?.lossStates && { lossStates: saved.lossStates }),
  })) {
    metrics.push({ ...step, elapsedMs: 0 });
    if (step.step === stop) break;
  }
  const { lossStates } = metrics.at(-1) ?? {};
  const state: Saved = {
    weights: await decoderToTensors(student),
    optimizer: await optimizer.state(),
    teacher: (await teacher.state?.read()) as Saved["teacher"],
    ...(lossStates && { lossStates }),
  };
  return { metrics, state };
}

const settings = fc.record({
  batchSize: fc.integer({ min: 1, max: 3 }),
  onPolicyFraction: fc.constantFrom(0, 0.3, 1),
  packing: fc.boolean(),
  maxGradNorm: fc.constantFrom(0.1, 10),
});

test("to the bit: weights, moments, teacher, loss states and metrics", async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.integer({ min: 1, max: steps - 1 }), async (given, stop) => {
      const whole = await train(given, 0, steps);
      const first = await train(given, 0, stop);
      const second = await train(given, stop, steps, first.state);
      expect([...first.metrics, ...second.metrics]).toEqual(whole.metrics);
      expect(second.state).toEqual(whole.state);
      expect(second.state.weights).not.toEqual(first.state.weights);
    }),
    { seed: 2, numRuns: 3 },
  );
});
