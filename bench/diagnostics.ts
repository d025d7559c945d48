/** What the diagnostics cost a training step: `npx tsx bench/diagnostics.ts [pairs]`. */
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../src/backend/index.js";
import { makeBatch } from "../src/data/index.js";
import { forwardKlLoss, lossTerm } from "../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../src/models/index.js";
import { nodePlatform } from "../src/node/index.js";
import { modelTeacher } from "../src/teachers/index.js";
import { Random } from "../src/tensors/index.js";
import { computeGradients } from "../src/trainers/step/step.js";
import { median } from "./statistics.js";

const shapes = [
  { name: "small", vocabSize: 64, hiddenSize: 64, numLayers: 2, rows: 16, length: 64 },
  { name: "medium", vocabSize: 512, hiddenSize: 128, numLayers: 4, rows: 16, length: 128 },
  {
    name: "large vocabulary",
    vocabSize: 32_000,
    hiddenSize: 64,
    numLayers: 2,
    rows: 4,
    length: 64,
  },
];

async function measure(shape: (typeof shapes)[number], pairs: number): Promise<string> {
  const { name, vocabSize, hiddenSize, numLayers, rows, length } = shape;
  const options = { family: "llama", vocabSize, hiddenSize, numLayers, numHeads: 4 };
  const config = modelConfigSchema.parse({ ...options, maxPositions: length });
  using student = initializeDecoder(config, new Random(1));
  using teacher = modelTeacher(initializeDecoder(config, new Random(2)));
  const random = new Random(3);
  const ids = () => Array.from({ length: length + 1 }, () => random.integer(vocabSize));
  const sequences = Array.from({ length: rows }, () => ({ ids: ids(), completionStart: 1 }));
  using batch = makeBatch(sequences, 0);
  const terms = [lossTerm(forwardKlLoss, {})];
  const step = async (mostDiagnosedRows?: number): Promise<number> => {
    const scores = await teacher.score(batch, ["teacherLogits"]);
    const limit = mostDiagnosedRows === undefined ? {} : { mostDiagnosedRows };
    const context = { progress: 0, states: [undefined], ...limit };
    const start = performance.now();
    const parts = [{ batch, teacher: scores, onPolicyRows: 0 }];
    (await computeGradients(student, terms, parts, context)).dispose();
    return performance.now() - start;
  };
  for (let i = 0; i < 3; i++) await step();
  const [withThem, without]: [number[], number[]] = [[], []];
  // In turn, so that a disturbance meets both.
  for (let i = 0; i < pairs; i++) {
    withThem.push(await step());
    without.push(await step(0));
  }
  const [a, b] = [median(withThem), median(without)];
  const share = (100 * (a / b - 1)).toFixed(1);
  return `${name}: ${a.toFixed(2)} ms with, ${b.toFixed(2)} ms without, ${share} % (medians of ${pairs} pairs)`;
}

tf.enableProdMode();
const { line } = await startBackend("wasm", { platform: nodePlatform });
console.log(line);
for (const shape of shapes) console.log(await measure(shape, Number(process.argv[2] ?? 40)));
process.exit();
