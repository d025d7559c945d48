/** Trainings of a few steps of every kind, whose rows have other lengths now and then, from models in memory. */
import * as tf from "@tensorflow/tfjs-core";
import { AdamW, type AdamWState } from "../../../src/optim/index.js";
import type { Replay, ReplayState } from "../../../src/rollouts/index.js";
import {
  crossEntropyLoss,
  dpoLoss,
  lossTerm,
  type LossTerm,
  policyGradientLoss,
  rediLoss,
  reverseKlLoss,
  sparseKlLoss,
} from "../../../src/losses/index.js";
import {
  addAdapter,
  type Decoder,
  initializeDecoder,
  type ModelConfig,
  modelConfigSchema,
  setActiveAdapter,
} from "../../../src/models/index.js";
import {
  decodeRow,
  encodeRow,
  type LogProbsManifest,
  logProbLayout,
  modelTeacher,
  recordedTeacher,
  rowKey,
  type Teacher,
} from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { distill, pairs, sft, type StepMetrics } from "../../../src/trainers/index.js";
import type { Projections } from "../../../src/trainers/step/projections.js";

const size = {
  ...{ vocabSize: 24, hiddenSize: 16, intermediateSize: 24 },
  ...{ numLayers: 1, numHeads: 2, maxPositions: 32 },
};
/** A model of one layer, or with other sizes or of another family. */
export const modelOf = (changes: object = {}): ModelConfig =>
  modelConfigSchema.parse({ family: "llama", ...size, ...changes });
export const config = modelOf();
export const batchSize = 4;
export const random = () => new Random(3);

/** Other rows at every step, of which other tokens are learned; for some steps they are longer. */
export function rowsOf(step: number, count: number) {
  return Array.from({ length: count }, (_, row) => {
    const stream = new Random(5).stream("row", step, row);
    const length = (step % 10 >= 6 ? 15 : 8) - (row % 2);
    return {
      ids: Array.from({ length }, () => stream.integer(config.vocabSize)),
      completionStart: 1 + ((step + row) % batchSize),
    };
  });
}

/** Rows of other lengths, so that they fill another number of packed rows at nearly every step. */
export function raggedRows(step: number, count: number) {
  return Array.from({ length: count }, (_, row) => {
    const stream = new Random(5).stream("ragged", step, row);
    const ids = Array.from({ length: 3 + stream.integer(12) }, () => 1 + stream.integer(20));
    return { ids, completionStart: 1 + (row % 2) };
  });
}

const data = {
  rows: rowsOf,
  promptOf: ({ ids, completionStart }: ReturnType<typeof rowsOf>[number]) =>
    ids.slice(0, 1 + completionStart),
};

/** An answer of a recorded teacher about any row: three tokens a position, which follow from its ids. */
function recording(): Teacher {
  const facts = { tokens: "likeliest", k: 3, sampleTemperature: 1 } as const;
  const manifest = { ...facts, dtype: "float32", vocabSize: config.vocabSize, maxPositions: null };
  const layout = logProbLayout(manifest as Parameters<typeof logProbLayout>[0]);
  const known = new Map<string, Uint8Array>();
  for (let step = 0; step < 40; step++) {
    for (const row of rowsOf(step, batchSize)) {
      const positions = row.ids.slice(row.completionStart).map((id) => ({
        ...{ tokenLogProb: -1, logTail: Math.log(0.2), logNormalizer: 0 },
        ids: [id, (id + 1) % config.vocabSize, (id + 5) % config.vocabSize],
        logProbs: [0.5, 0.2, 0.1].map(Math.log),
      }));
      known.set(rowKey(row), encodeRow({ ids: row.ids, positions }, layout));
    }
  }
  return recordedTeacher({
    name: "recording",
    manifest: manifest as unknown as LogProbsManifest,
    has: (key) => known.has(key),
    read: (keys) =>
      Promise.resolve(keys.map((key) => decodeRow(known.get(key) as Uint8Array, layout))),
  });
}

/** What is trained beside the student, or is another from step to step. */
export interface Beside {
  readonly projections?: Projections;
  readonly replay?: Replay;
}

export interface Training extends Beside {
  readonly student: Decoder;
  readonly optimizer: AdamW;
  readonly teacher: Teacher;
  /** Of the step that a resumed training begins behind. */
  readonly lossStates?: NonNullable<StepMetrics["lossStates"]>;
}

export interface StepKind {
  readonly run: (
    training: Training,
    steps: number,
    startStep: number,
  ) => AsyncGenerator<StepMetrics>;
  /** Of the student. Default: {@link config}. */
  readonly model?: ModelConfig;
  readonly teacher?: (student: Decoder) => Teacher;
  readonly prepare?: (student: Decoder) => void;
  /** @param saved of a checkpoint */
  readonly beside?: (saved?: ReplayState) => Beside;
  /** How many shapes its steps have. Default: 2. */
  readonly shapes?: number;
  /** How many calls of a step may be replayed. Default: 2, gradients and update. */
  readonly calls?: number;
}

export const common = {
  ...{ batchSize, maxGradNorm: 0.5, tokenizer: { endIds: [3, 9, 14], padId: 0 } },
  schedule: { learningRate: 0.01, warmupSteps: 3 },
};
const mixed = () => [
  lossTerm(reverseKlLoss, {}, { from: 1, to: 0.2, shape: "linear", begin: 0, end: 1 }),
  lossTerm(crossEntropyLoss, {}, 0.3),
];

/** Distillation of the rows of the data and those that the student writes. */
export function distilling(
  onPolicyFraction: number,
  loss: () => readonly LossTerm[] = () => [lossTerm(reverseKlLoss, {})],
  others: { readonly gradientAccumulationSteps?: number; readonly packing?: boolean } = {},
): StepKind["run"] {
  return ({ replay, ...training }, steps, startStep) =>
    distill({
      ...{ ...common, ...training, data, steps, startStep, onPolicyFraction, loss: loss() },
      ...{ ...others, random: random(), maxNewTokens: 6 },
      ...(replay && { replay: { replay, validationLoss: () => Promise.resolve(2) } }),
    });
}

function adapt(student: Decoder): void {
  const options = { rank: 2, alpha: 6, targets: ["q_proj", "down_proj"], random: new Random(8) };
  addAdapter(student, "adapter", options);
  setActiveAdapter(student, "adapter");
}

/** By name, from the plainest on. */
export const stepKinds: Readonly<Record<string, StepKind>> = {
  "sft of two micro-batches": {
    run: (training, steps, startStep) =>
      sft({ ...common, ...training, data, steps, startStep, gradientAccumulationSteps: 2 }),
  },
  "sft, packed": {
    run: (training, steps, startStep) =>
      sft({ ...common, ...training, data, steps, startStep, packing: true }),
  },
  "sft, packed into other numbers of rows": {
    run: (training, steps, startStep) =>
      sft({
        ...{ ...common, ...training, steps, startStep, packing: true, batchSize: 32 },
        data: { ...data, rows: raggedRows },
      }),
    shapes: 5,
  },
  "distill off policy": { run: distilling(0, mixed) },
  "distill on policy": { run: distilling(1) },
  "distill, half on policy, two micro-batches": {
    run: distilling(0.5, mixed, { gradientAccumulationSteps: 2 }),
  },
  "distill, half on policy, packed": { run: distilling(0.5, mixed, { packing: true }) },
  "distill of an adapter": { run: distilling(0.5, mixed), prepare: adapt },
  "distill with a policy gradient": {
    run: distilling(1, () => [lossTerm(policyGradientLoss, {}), lossTerm(reverseKlLoss, {}, 0.2)]),
  },
  "distill from a recording": {
    run: distilling(0, () => [lossTerm(sparseKlLoss, {})]),
    teacher: recording,
  },
  pairs: {
    run: ({ teacher: reference, ...training }, steps, startStep) =>
      pairs({
        ...{ ...common, ...training, reference, steps, startStep, random: random() },
        loss: [lossTerm(dpoLoss, {}), lossTerm(rediLoss, {}, 0.1)],
        gradientAccumulationSteps: 2,
        data: {
          pairs: (step, count) =>
            rowsOf(step, count).map((row, i) => {
              const ids = [...row.ids.slice(0, row.completionStart), ...row.ids.slice(3 + (i % 3))];
              return { positive: row, negative: { ...row, ids } };
            }),
        },
      }),
  },
};

async function valuesOf(parameters: ReadonlyMap<string, tf.Variable>) {
  const values = new Map<string, Float32Array>();
  for (const [name, parameter] of parameters) {
    values.set(name, Float32Array.from(await parameter.data<"float32">()));
  }
  return values;
}

export interface Checkpoint {
  readonly step: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly state: AdamWState;
  readonly teacher: Awaited<ReturnType<NonNullable<Teacher["state"]>["read"]>> | undefined;
  readonly replay: ReplayState | undefined;
  readonly lossStates: StepMetrics["lossStates"];
}

/** A training of so many steps, or its rest from a checkpoint. */
export interface Trained {
  /** All numbers of it, but times. */
  readonly log: readonly object[];
  /** Of the student, and of what was trained beside it. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly checkpoint: Checkpoint | undefined;
  /** Tensors alive at each step. */
  readonly alive: readonly number[];
}

/** Runs it, with an evaluation and a checkpoint on the way. */
export async function train(
  { run, model = config, teacher: makeTeacher, prepare, beside: makeBeside }: StepKind,
  steps: number,
  from?: Checkpoint,
): Promise<Trained> {
  const student = initializeDecoder(model, new Random(1).stream("student"));
  prepare?.(student);
  const beside = makeBeside?.(from?.replay) ?? {};
  const { projections, replay } = beside;
  const parameters = new Map([
    ...student.trainableParameters(),
    ...(projections?.parameters ?? []),
  ]);
  const optimizer = new AdamW(parameters, { weightDecay: 0.1 });
  const teacherModel = () => initializeDecoder(config, new Random(1).stream("teacher"));
  using teacher = makeTeacher?.(student) ?? modelTeacher(teacherModel());
  if (from) {
    for (const [name, values] of from.weights) {
      const parameter = parameters.get(name) as tf.Variable;
      tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
    }
    optimizer.restore(from.state);
    if (from.teacher) teacher.state?.restore(from.teacher);
  }
  const { lossStates } = from ?? {};
  const training = { student, optimizer, teacher, ...beside, ...(lossStates && { lossStates }) };
  const log: object[] = [];
  const alive: number[] = [];
  let checkpoint: Checkpoint | undefined;
  const middle = Math.floor((2 * steps) / 3);
  for await (const step of run(training, steps, from?.step ?? 0)) {
    const { elapsedMs: _, ...metrics } = step;
    alive.push(tf.memory().numTensors);
    log.push(metrics);
    if (metrics.step === Math.floor(steps / 3) || metrics.step === middle + 3) {
      // Other shapes, which take and give back memory.
      const logits = tf.tidy(() => student.forward({ inputIds: tf.ones([3, 20], "int32") }));
      log.push({ evaluation: [...(await logits.data())] });
      logits.dispose();
    }
    if (metrics.step === middle && !from) {
      checkpoint = {
        step: middle,
        weights: await valuesOf(parameters),
        state: await optimizer.state(),
        teacher: await teacher.state?.read(),
        replay: replay && structuredClone(replay.state()),
        lossStates: metrics.lossStates,
      };
    }
  }
  const weights = await valuesOf(parameters);
  optimizer.dispose();
  projections?.dispose();
  student.dispose();
  return { log, weights, checkpoint, alive };
}
