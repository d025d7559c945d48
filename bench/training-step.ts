/**
 * One training step (forward KL to fixed teacher logits, AdamW, clipping) of a small student, median
 * and best: `npx tsx bench/training-step.ts [threads] [llama|gpt2] [small|medium|large-vocabulary]`.
 */
import * as tf from "@tensorflow/tfjs";
import { startWasmBackend } from "../src/backend/wasm/index.js";
import { initializeDecoder, modelConfigSchema } from "../src/models/index.js";
import { nodeWasmPlatform } from "../src/node/wasm-platform.js";
import { forwardKlFromLogits, globalNorm } from "../src/ops/index.js";
import { AdamW, clipScale } from "../src/optim/index.js";
import { Random, variableGradients } from "../src/tensors/index.js";

const sizes = {
  small: { numLayers: 4, hiddenSize: 128, vocabSize: 512, batch: 16, length: 64 },
  medium: { numLayers: 4, hiddenSize: 256, vocabSize: 4096, batch: 8, length: 128 },
  "large-vocabulary": { numLayers: 2, hiddenSize: 128, vocabSize: 32000, batch: 4, length: 64 },
};
const numThreads = Number(process.argv[2] ?? 2);
const family = process.argv[3] === "gpt2" ? "gpt2" : "llama";
const sizeName = (process.argv[4] ?? "small") as keyof typeof sizes;
const { batch, length, ...size } = sizes[sizeName];
const rounds = 15;

await startWasmBackend(nodeWasmPlatform, { numThreads });
const options = { family, numHeads: 4, maxPositions: length, ...size };
using model = initializeDecoder(modelConfigSchema.parse(options), new Random(1));
using optimizer = new AdamW(model.parameters);
const names = [...model.parameters.keys()];
const random = new Random(2);
const numTokens = batch * length;
const ids = Int32Array.from({ length: numTokens }, () => random.integer(size.vocabSize));
const inputIds = tf.tensor2d(ids, [batch, length], "int32");
const scores = Float32Array.from(
  { length: numTokens * size.vocabSize },
  () => 4 * random.uniform() - 2,
);
const teacherLogits = tf.tensor3d(scores, [batch, length, size.vocabSize]);

function step(): tf.Scalar {
  return tf.tidy(() => {
    const { value, gradients } = variableGradients(() => {
      const studentLogits = model.forward({ inputIds });
      return forwardKlFromLogits(studentLogits, teacherLogits, { temperature: 1 }).mean();
    }, [...model.parameters.values()]);
    const named = new Map(names.map((name, i) => [name, gradients[i] as tf.Tensor]));
    optimizer.apply(named, 1e-3, clipScale(globalNorm(gradients), 1));
    return value;
  });
}

const wall: number[] = [];
const cpu: number[] = [];
let last = 0;
for (let round = -3; round < rounds; round++) {
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  const loss = step();
  last = (await loss.data())[0] as number;
  loss.dispose();
  if (round < 0) continue;
  wall.push(performance.now() - start);
  const { user, system } = process.cpuUsage(cpuStart);
  cpu.push((user + system) / 1000);
}
const summary = (values: number[]) => {
  values.sort((a, b) => a - b);
  return `median ${values[values.length >> 1]?.toFixed(1)} ms, best ${values[0]?.toFixed(1)} ms`;
};
const { peakBytes } = tf.memory() as unknown as { peakBytes: number };
console.log(`${sizeName} ${family}, ${model.numParameters} parameters, ${numThreads} thread(s)`);
console.log(`step: ${summary(wall)}; CPU time: ${summary(cpu)}`);
console.log(`peak memory of the engine ${(peakBytes / 2 ** 20).toFixed(1)} MiB; loss ${last}`);
process.exit(0);
