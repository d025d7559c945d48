import * as tf from "@tensorflow/tfjs-core";
import { forwardKlLoss, lossTerm } from "../../src/losses/index.js";
import type { Decoder } from "../../src/models/index.js";
import { AdamW } from "../../src/optim/index.js";
import { sampleRollouts, samplingPolicySchema } from "../../src/rollouts/index.js";
import { keepTensor, Random } from "../../src/tensors/index.js";
import { applyGradients, computeGradients } from "../../src/trainers/step/step.js";
import type { PeakMeter } from "./backends.js";
import { type Answer, exitIfOrphaned, type MemoryPart, type Task } from "./protocol.js";
import { type LoadedScenario, readScenario } from "./scenario-file.js";
import { generation, type MatmulVariant, optimization, scenarios } from "../scenarios.js";

const terms = [lossTerm(forwardKlLoss, {})];

/** The trainers' own step on a fixed batch: forward KL to given teacher logits, clipping, AdamW. */
class Training implements Disposable {
  readonly scenario: LoadedScenario;
  private readonly optimizer: AdamW;

  constructor(scenario: LoadedScenario) {
    const { beta1, beta2, epsilon, weightDecay } = optimization;
    this.scenario = scenario;
    this.optimizer = new AdamW(scenario.student.parameters, {
      beta1,
      beta2,
      epsilon,
      weightDecay,
    });
  }

  /** Returns the loss before the update. */
  async step(): Promise<number> {
    using gradients = await this.gradients();
    const { learningRate, maxGradNorm } = optimization;
    applyGradients(this.optimizer, gradients, learningRate, maxGradNorm);
    return gradients.loss;
  }

  /** Loss and gradient of the head alone; `hiddenStates` is what it reads. */
  async lossPart(hiddenStates: tf.Tensor3D): Promise<void> {
    const head = [...this.scenario.student.parameters].filter(([name]) =>
      name.startsWith("lm_head."),
    );
    // The student with a trunk that has already been run.
    const headOnly = Object.create(this.scenario.student, {
      parameters: { value: new Map(head) },
      hiddenStates: { value: () => hiddenStates.clone() },
    }) as Decoder;
    (await this.gradients(headOnly)).dispose();
  }

  private gradients(student = this.scenario.student) {
    const { batch, teacherLogits } = this.scenario;
    const teacher = { tensors: () => ({ teacherLogits }) };
    // The same work as the others: what the diagnostics cost is measured by bench/diagnostics.ts.
    const context = { progress: 0, states: [undefined], mostDiagnosedRows: 0 };
    return computeGradients(student, terms, [{ batch, teacher, onPolicyRows: 0 }], context);
  }

  [Symbol.dispose](): void {
    this.optimizer.dispose();
    this.scenario[Symbol.dispose]();
  }
}

/** Answers tasks on the current tfjs backend. */
export function tfjsWorkloads(peakOf: PeakMeter): (task: Task) => Promise<Answer> {
  let training: Training | undefined;
  const loaded = (): Training => {
    if (training === undefined) throw new Error("No scenario was loaded.");
    return training;
  };
  return async (task) => {
    switch (task.task) {
      case "load":
        training?.[Symbol.dispose]();
        training = new Training(await readScenario(task.scenario, task.file));
        return {};
      case "training": {
        const losses: number[] = [];
        const ms = await timeEach(task.repeats, async () => {
          losses.push(await loaded().step());
        });
        return { ms, losses };
      }
      case "memory":
        return { peakBytes: await peakBytes(loaded(), task.part, peakOf) };
      case "generation":
        return { ms: await timeEach(task.repeats, () => generate(loaded().scenario)) };
      case "matmul":
        return { ms: [await matmul(task.size, task.variant, task.repeats)] };
    }
  };
}

async function peakBytes(training: Training, part: MemoryPart, peakOf: PeakMeter): Promise<number> {
  if (part === "step") {
    return peakOf(async () => {
      await training.step();
    });
  }
  const { student, batch } = training.scenario;
  const hiddenStates = keepTensor(student.hiddenStates(batch));
  try {
    return await peakOf(() => training.lossPart(hiddenStates));
  } finally {
    hiddenStates.dispose();
  }
}

async function timeEach(repeats: number, run: () => Promise<void>): Promise<number[]> {
  const ms: number[] = [];
  for (let i = 0; i < repeats; i++) {
    exitIfOrphaned();
    const start = performance.now();
    await run();
    ms.push(performance.now() - start);
  }
  return ms;
}

async function generate({ student, batch }: LoadedScenario): Promise<void> {
  const { rows, promptLength, newTokens } = generation;
  const { vocabSize } = scenarios.small;
  if (student.config.vocabSize !== vocabSize)
    throw new Error("Generation is of the small student.");
  const prompts = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: promptLength }, (_, t) => (31 * row + 7 * t) % vocabSize),
  );
  const rollouts = await sampleRollouts({
    ...{ model: student, prompts, endIds: [], padId: 0, maxNewTokens: newTokens },
    ...{ policy: samplingPolicySchema.parse({}), random: new Random(batch.size) },
  });
  const tokens = rollouts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  if (tokens !== rows * newTokens) throw new Error(`Sampled ${tokens} tokens.`);
}

/** Milliseconds of one square product through `tf.matMul`, as any caller gets it. */
async function matmul(size: number, variant: MatmulVariant, repeats: number): Promise<number> {
  const random = new Random(size);
  const matrix = () => {
    const values = Float32Array.from({ length: size * size }, () => random.uniform() - 0.5);
    return keepTensor(tf.tensor2d(values, [size, size]));
  };
  const [a, b] = [matrix(), matrix()];
  const product = () => tf.matMul(a, b, variant === "tn", variant === "nt");
  // Moves the operands into the backend's memory.
  product().dispose();
  const start = performance.now();
  for (let i = 0; i < repeats; i++) product().dispose();
  const ms = (performance.now() - start) / repeats;
  a.dispose();
  b.dispose();
  return Promise.resolve(ms);
}
