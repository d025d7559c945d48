/** Tokens per second with packed rows and without: `npx tsx bench/packing.ts [pairs]`. */
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../src/backend/index.js";
import {
  additionTask,
  characterTokenizer,
  taskItems,
  tokenizeExample,
  type TokenSequence,
} from "../src/data/index.js";
import { crossEntropyLoss, lossTerm } from "../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../src/models/index.js";
import { nodePlatform } from "../src/node/index.js";
import { AdamW } from "../src/optim/index.js";
import { Random } from "../src/tensors/index.js";
import { splitIntoBatches } from "../src/trainers/step/micro-batches.js";
import { applyGradients, computeGradients } from "../src/trainers/step/step.js";
import { median } from "./statistics.js";

const vocabSize = 64;
const batchSize = 32;
const models = {
  small: { hiddenSize: 64, numLayers: 2, numHeads: 4 },
  medium: { hiddenSize: 128, numLayers: 4, numHeads: 4 },
};

type Rows = (step: number) => TokenSequence[];

/** Rows of random ids whose number of positions `sizeOf` draws. */
function randomRows(sizeOf: (random: Random) => number): Rows {
  return (step) => {
    const random = new Random(3).stream("rows", step);
    return Array.from({ length: batchSize }, () => {
      const ids = Array.from({ length: sizeOf(random) + 1 }, () => random.integer(vocabSize));
      return { ids, completionStart: 1 };
    });
  };
}

/** The addition task with its scratchpad, 1 to 12 digits. */
function additionRows(): Rows {
  const options = additionTask.config.parse({ maxDigits: 12, style: "scratchpad" });
  const tokenizer = characterTokenizer({ alphabet: additionTask.alphabet(options) });
  return (step) => {
    const random = new Random(4).stream("rows", step);
    return taskItems(additionTask, options, "train", random, batchSize).map(({ example }) =>
      tokenizeExample(tokenizer, example),
    );
  };
}

const data: Readonly<Record<string, Rows>> = {
  "addition with scratchpad": additionRows(),
  "8 to 256 tokens, uniform": randomRows((random) => 8 + random.integer(249)),
  "8 to 256 tokens, most are short": randomRows((random) =>
    Math.round(8 * 32 ** (random.uniform() ** 2)),
  ),
  "256 tokens each": randomRows(() => 256),
};

async function measure(name: string, rows: Rows, model: keyof typeof models, pairs: number) {
  const options = { ...models[model], family: "llama", vocabSize, maxPositions: 300 };
  using student = initializeDecoder(modelConfigSchema.parse(options), new Random(1));
  using optimizer = new AdamW(student.parameters, {});
  const terms = [lossTerm(crossEntropyLoss, {})];
  const padding = { false: [] as number[], true: [] as number[] };
  const speeds = { false: [] as number[], true: [] as number[] };
  const step = async (index: number, packing: boolean) => {
    const given = rows(index);
    const start = performance.now();
    using batches = splitIntoBatches([], given, 1, 0, { packing });
    using gradients = await computeGradients(student, terms, batches.parts);
    applyGradients(optimizer, gradients, 1e-4, 1);
    speeds[`${packing}`].push((1000 * batches.tokens) / (performance.now() - start));
    padding[`${packing}`].push(batches.paddingShare);
  };
  // In turn, so that a disturbance meets both; the first two are not counted.
  for (let i = 0; i < pairs + 2; i++) {
    if (i === 2) speeds.false.length = speeds.true.length = 0;
    await step(i, false);
    await step(i, true);
  }
  const share = (values: readonly number[]) => `${(100 * median(values)).toFixed(0)} %`;
  const [plain, packed] = [median(speeds.false), median(speeds.true)];
  const ratio = (packed / plain).toFixed(2);
  const paddings = `padding ${share(padding.false)} -> ${share(padding.true)}`;
  const tokens = `${plain.toFixed(0)} -> ${packed.toFixed(0)} tokens/s`;
  console.log(`${model}, ${name}: ${paddings}, ${tokens}, ${ratio} times`);
}

tf.enableProdMode();
const { line } = await startBackend("wasm", { platform: nodePlatform });
console.log(line);
const pairs = Number(process.argv[2] ?? 20);
for (const model of ["small", "medium"] as const) {
  for (const [name, rows] of Object.entries(data)) await measure(name, rows, model, pairs);
}
process.exit();
