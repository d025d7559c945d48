/**
 * A trainer and a schedule of one's own: short rows first, and a learning rate that starts again three times. The run
 * has a folder, shows its progress, saves at Ctrl-C, and continues where it was stopped.
 *
 *     npx tsx examples/own-loop/trainer.ts
 */
import {
  crossEntropyLoss,
  initializeDecoder,
  lossTerm,
  modelConfigSchema,
  Random,
  startBackend,
} from "pupil";
import { showRun } from "pupil/cli";
import { byteTokenizer, datasetSchema, prepareData } from "pupil/data";
import { type LoopRun, nodePlatform, runLoop } from "pupil/node";
import {
  applyGradients,
  commonMetrics,
  computeGradients,
  evaluateLoss,
  splitIntoBatches,
  type StepMetrics,
} from "pupil/trainers";

const settings = { seed: 1, steps: Number(process.argv[2] ?? 300), batchSize: 16, peak: 3e-3 };
const { seed, steps, batchSize, peak } = settings;

await startBackend("auto", { platform: nodePlatform });
const random = new Random(seed);
const tokenizer = byteTokenizer();
const dataset = datasetSchema.parse({ type: "task", task: { type: "addition" } });
const data = await prepareData(dataset, { tokenizer, random });
const config = modelConfigSchema.parse({
  ...{ family: "llama", hiddenSize: 64, numLayers: 2, numHeads: 4 },
  ...{ vocabSize: tokenizer.vocabSize, maxPositions: data.positions },
});

/** The learning rate falls from its peak to 0 along a cosine, and starts again three times. */
const learningRateAt = (step: number) =>
  (peak / 2) * (1 + Math.cos(Math.PI * (((3 * step) / steps) % 1)));

/** At first the shortest of four times as many rows, at the end any. */
async function* shortFirst({
  student,
  optimizer,
  startStep,
}: LoopRun): AsyncGenerator<StepMetrics> {
  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const choice = Math.round(batchSize * (4 - (3 * step) / steps));
    const rows = [...(await data.training.rows(step, choice))]
      .sort((a, b) => a.ids.length - b.ids.length)
      .slice(0, batchSize);
    using batches = splitIntoBatches([], rows, 1, tokenizer.padId);
    const terms = [lossTerm(crossEntropyLoss, {})];
    using gradients = await computeGradients(student, terms, batches.parts);
    const learningRate = learningRateAt(step);
    applyGradients(optimizer, gradients, learningRate, 1);
    yield {
      ...commonMetrics(gradients, batches),
      ...{ step: step + 1, learningRate, onPolicyShare: 0 },
      elapsedMs: performance.now() - startMs,
    };
  }
}

await showRun(steps, (signal) =>
  runLoop({
    path: "runs/short-first",
    ...{ settings, tokenizer, steps, signal },
    student: () => initializeDecoder(config, random.stream("student")),
    train: shortFirst,
    evaluate: async ({ student }) => {
      const rows = data.evaluation[0]?.rows ?? [];
      return { heldOutLoss: (await evaluateLoss(student, rows, 32, tokenizer.padId)).loss };
    },
    evaluateEvery: 100,
    checkpointEvery: 100,
  }),
);
