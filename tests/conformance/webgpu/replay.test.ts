/** A step that is replayed is the step that is computed: the same numbers and the same weights, bit for bit. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import type { ReplayReport } from "../../../src/backend/webgpu/replay/recorder.js";
import * as pupil from "../../../src/index.js";
import type { AdamWState } from "../../../src/optim/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backend.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

const steps = 30;
const batchSize = 4;
const config = pupil.modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 24, hiddenSize: 16, intermediateSize: 24 },
  ...{ numLayers: 2, numHeads: 2, maxPositions: 32 },
});
const backend = () => tf.backend() as unknown as PooledBackend;

/** Other rows at every step, of which other tokens are learned, as many in all; for some steps they are longer. */
const data = {
  rows: (step: number, count: number) =>
    Array.from({ length: count }, (_, row) => {
      const random = new Random(5).stream("row", step, row);
      const length = step >= 12 && step < 16 ? 15 : 11;
      return {
        ids: Array.from({ length }, () => random.integer(config.vocabSize)),
        completionStart: 1 + ((step + row) % batchSize),
      };
    }),
  promptOf: ({ ids }: { readonly ids: readonly number[] }) => ids.slice(0, 3),
};

interface Trainer {
  readonly student: pupil.Decoder;
  readonly optimizer: pupil.AdamW;
}

function makeTrainer(seed: number): Trainer {
  const student = pupil.initializeDecoder(config, new Random(seed).stream("student"));
  return { student, optimizer: new pupil.AdamW(student.parameters, { weightDecay: 0.1 }) };
}

type Run = (
  trainer: Trainer,
  teacher: pupil.Teacher,
  startStep: number,
) => AsyncGenerator<pupil.StepMetrics>;

const common = {
  ...{ data, steps, batchSize, maxGradNorm: 0.5, tokenizer: { endIds: [], padId: 0 } },
  schedule: { learningRate: 0.01, warmupSteps: 3 },
};
const terms = () => [
  pupil.lossTerm(pupil.reverseKlLoss, {}, { from: 1, to: 0.2, shape: "linear", begin: 0, end: 1 }),
  pupil.lossTerm(pupil.crossEntropyLoss, {}, 0.3),
];
const distillOffPolicy: Run = (trainer, teacher, startStep) =>
  pupil.distill({
    ...{ ...common, ...trainer, teacher, startStep, loss: terms(), random: new Random(3) },
    onPolicyFraction: 0,
  });
const sftOfTwoMicroBatches: Run = (trainer, _, startStep) =>
  pupil.sft({ ...common, ...trainer, startStep, gradientAccumulationSteps: 2 });

async function weightsOf({ parameters }: pupil.Decoder) {
  const weights = new Map<string, Float32Array>();
  for (const [name, parameter] of parameters) {
    weights.set(name, Float32Array.from(await parameter.data<"float32">()));
  }
  return weights;
}

interface Checkpoint {
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly state: AdamWState;
}

/** All numbers of a training, with an evaluation and a checkpoint on the way, and how it was carried out. */
async function trained(run: Run, replays: boolean, from?: Checkpoint) {
  backend().replays = replays;
  const trainer = makeTrainer(from ? 9 : 1);
  const { student, optimizer } = trainer;
  if (from) {
    for (const [name, values] of from.weights) {
      const parameter = student.parameters.get(name) as tf.Variable;
      tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
    }
    optimizer.restore(from.state);
  }
  using teacher = pupil.modelTeacher(
    pupil.initializeDecoder(config, new Random(1).stream("teacher")),
  );
  const before: ReplayReport = backend().replayReport();
  const log: unknown[] = [];
  const alive: number[] = [];
  let checkpoint: Checkpoint | undefined;
  for await (const { elapsedMs: _, ...metrics } of run(trainer, teacher, from ? 20 : 0)) {
    alive.push(tf.memory().numTensors);
    log.push(metrics);
    if (metrics.step === 9 || metrics.step === 24) {
      // Other shapes, which take and give back memory.
      const logits = tf.tidy(() => student.forward({ inputIds: tf.ones([3, 20], "int32") }));
      log.push([...(await logits.data())]);
      logits.dispose();
    }
    if (metrics.step === 20) {
      checkpoint = { weights: await weightsOf(student), state: await optimizer.state() };
    }
  }
  const weights = await weightsOf(student);
  const { replayed, inFull, reasons } = backend().replayReport();
  optimizer.dispose();
  student.dispose();
  return {
    ...{ log, weights, checkpoint, reasons, alive },
    replayed: replayed - before.replayed,
    inFull: inFull - before.inFull,
  };
}

describe.skipIf(!hasVulkan)(`steps replayed on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  for (const [name, run] of Object.entries({ distillOffPolicy, sftOfTwoMicroBatches })) {
    test(`${name}: thirty are what they are when computed, and so is the rest of a resumed run`, async () => {
      const computed = await trained(run, false);
      const replayed = await trained(run, true);
      expect(computed.replayed).toBe(0);
      // Gradients and update of every step, but for the first three, and twice for another shape.
      expect(replayed.replayed + replayed.inFull).toBe(2 * steps);
      expect(replayed.replayed, JSON.stringify(replayed.reasons)).toBeGreaterThanOrEqual(
        2 * steps - 14,
      );
      expect(replayed.log).toEqual(computed.log);
      expect(replayed.weights).toEqual(computed.weights);
      expect(new Set(replayed.alive).size).toBe(1);
      const rest = await trained(run, true, replayed.checkpoint);
      // Ten steps, of which the first three and, once, two of another shape are computed in full.
      expect(rest.replayed, JSON.stringify(rest.reasons)).toBeGreaterThanOrEqual(2 * 10 - 10);
      expect(rest.log).toEqual(computed.log.slice(-rest.log.length));
      expect(rest.weights).toEqual(computed.weights);
    });
  }
});
