/**
 * What on-policy steps of the addition task make of a GPU, whose rows have another length at nearly every step, and how many
 * are replayed: `node --import tsx bench/gpu/on-policy-lengths.ts 30`, with `exact` behind it without rounding lengths up.
 */
import { spawnSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import * as pupil from "../../src/index.js";
import type { PooledBackend } from "../../src/backend/webgpu/pooled-backend.js";
import { additionTask } from "../../src/data/tasks/addition.js";
import { nodePlatform } from "../../src/node/platform.js";
import { vulkanEnvironment } from "../../scripts/vulkan-driver.mjs";
import { meterGpu } from "./meter.js";

const driverName = "VK_ICD_FILENAMES";
const env = vulkanEnvironment();
if (env[driverName] !== process.env[driverName]) {
  // The loader of Vulkan reads it when the process begins.
  const args = [...process.execArgv, ...process.argv.slice(1)];
  process.exit(spawnSync(process.execPath, args, { env, stdio: "inherit" }).status ?? 1);
}

const steps = Number(process.argv[2] ?? 30);
const [batchSize, maxNewTokens] = [4, 40];
const task = additionTask.config.parse({ minDigits: 1, maxDigits: 3 });
const alphabet = [...additionTask.alphabet(task)];
const endId = alphabet.length;
const encode = (text: string) => [...text].map((character) => alphabet.indexOf(character));
const random = new pupil.Random(4);
const config = pupil.modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: alphabet.length + 1, hiddenSize: 16, intermediateSize: 24 },
  ...{ numLayers: 1, numHeads: 2, maxPositions: 64 },
});
const data = {
  rows: (step: number, count: number) =>
    Array.from({ length: count }, (_, row) => {
      const problem = additionTask.generate(task, "train", random.stream("row", step, row));
      const prompt = encode(additionTask.prompt(problem));
      const text = additionTask.oracle(problem, task, random.stream("answer", step, row));
      return { ids: [...prompt, ...encode(text), endId], completionStart: prompt.length };
    }),
  promptOf: ({ ids, completionStart }: { ids: readonly number[]; completionStart: number }) =>
    ids.slice(0, completionStart),
};

await pupil.startBackend("webgpu", {
  ...{ platform: nodePlatform, allowSoftwareAdapter: true, replaySteps: true },
});
const backend = tf.backend() as unknown as PooledBackend;
backend.roundsLengths = process.argv[3] !== "exact";
const meter = meterGpu();
const student = pupil.initializeDecoder(config, random.stream("student"));
const teacher = pupil.modelTeacher(pupil.initializeDecoder(config, random.stream("teacher")));
const optimizer = new pupil.AdamW(student.parameters);
const made = { pipelines: 0, buffers: 0, bindGroups: 0 };
const makingSteps: number[] = [];
meter.take();
for await (const { step } of pupil.distill({
  ...{ student, teacher, optimizer, random, data, steps, batchSize, maxNewTokens },
  ...{ loss: [pupil.lossTerm(pupil.reverseKlLoss, {})], maxGradNorm: 1 },
  tokenizer: { endIds: [endId], padId: endId },
})) {
  const { pipelines, buffers, bindGroups } = meter.take();
  if (step <= 3) continue;
  if (pipelines + buffers + bindGroups > 0) makingSteps.push(step);
  made.pipelines += pipelines;
  made.buffers += buffers;
  made.bindGroups += bindGroups;
}
const { replayed, inFull, reasons } = backend.replayReport();
console.table({
  [`steps 4 to ${steps}`]: { ...made, "steps that made any": makingSteps.length },
});
console.log({ makingSteps: makingSteps.join(" "), calls: replayed + inFull, replayed, reasons });
process.exit(0);
