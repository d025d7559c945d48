import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import {
  crossEntropyLoss,
  forwardKlLoss,
  lossTerm,
  sampledReverseKlLoss,
  totalVariationLoss,
} from "../../../../../src/losses/index.js";
import { modelConfigSchema } from "../../../../../src/models/index.js";
import { deviceLimits } from "../../../../../src/node/runs/models/device-limits.js";
import {
  fewestPositions,
  largestTensors,
  memoryNeeds,
  requireMemory,
} from "../../../../../src/node/runs/models/memory-estimate.js";
import { startBackend } from "../../../../../src/backend/index.js";
import { nodePlatform } from "../../../../../src/node/index.js";
import { useCpu } from "../../../../setup/backends/backend.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const config = modelConfigSchema.parse({
  ...{ family: "gpt2", vocabSize: 50_257, maxPositions: 1024 },
  ...{ hiddenSize: 768, numLayers: 12, numHeads: 12 },
});
// As published.
const gpt2 = 124_439_808;

const run = (changes: object = {}, lora?: object) => ({
  trainer: { ...{ type: "sft", batchSize: 8, gradientAccumulationSteps: 2 }, ...changes } as never,
  student: { lora } as never,
});
const chunked = [lossTerm(crossEntropyLoss, {})];
const dense = [lossTerm(forwardKlLoss, {}), lossTerm(totalVariationLoss, {})];
const parts = {
  ...{ student: config, teachers: [config], terms: chunked },
  ...{ trains: true, fewestPositions: 100 },
};

test("GPT-2 takes its weights four times over, the inputs of its norms, and its attention", () => {
  expect(memoryNeeds(run(), parts)).toEqual({
    student: 4 * gpt2,
    training: 12 * gpt2,
    teacher: 4 * gpt2,
    activations: 4 * 4 * 100 * 2 * 12 * 768,
    attention: 4 * 4 * 12 * 12 * 100 * 100,
    logits: 0,
  });
});

test("losses that are not computed in chunks take logits, their gradient and the teacher's", () => {
  const logits = 4 * 4 * 100 * 50_257;
  expect(memoryNeeds(run(), { ...parts, terms: dense }).logits).toBe(3 * logits);
  const own = [lossTerm(sampledReverseKlLoss, {})];
  expect(memoryNeeds(run(), { ...parts, terms: own }).logits).toBe(2 * logits);
  const pairs = memoryNeeds(run({ type: "pairs" }), { ...parts, terms: dense });
  expect(pairs.logits).toBe(6 * logits);
});

describe("where the backend rounds lengths up, as WebGPU does,", () => {
  afterEach(() => {
    Reflect.deleteProperty(tf.backend(), "roundsLengths");
  });
  const sizesOf = (changes: object, positions: number, teachers = [config]) => {
    const all = { ...parts, terms: dense, teachers, fewestPositions: positions };
    const [needs, largest] = [memoryNeeds(run(changes), all), largestTensors(run(changes), all)];
    return [
      needs.activations,
      needs.attention,
      needs.logits,
      largest["attention"],
      largest["logits"],
    ];
  };

  test("rows are as long as they are made, but not beyond a context", () => {
    const [exact, rounded, most] = [sizesOf({}, 97), sizesOf({}, 104), sizesOf({}, 100)];
    Object.assign(tf.backend(), { roundsLengths: true });
    expect(sizesOf({}, 97)).toEqual(rounded);
    expect(sizesOf({}, 97)).not.toEqual(exact);
    const short = modelConfigSchema.parse({ ...config, maxPositions: 100 });
    expect(sizesOf({}, 97, [short])).toEqual(most);
  });

  test("packed rows and lists are not counted as longer than they must be", () => {
    const kinds = [{ packing: true }, { type: "rank" }];
    const exact = kinds.map((changes) => sizesOf(changes, 97));
    Object.assign(tf.backend(), { roundsLengths: true });
    expect(kinds.map((changes) => sizesOf(changes, 97))).toEqual(exact);
  });
});

test("a query has two candidates at the least, and scores instead of logits", () => {
  const rank = memoryNeeds(run({ type: "rank" }), { ...parts, terms: dense });
  const sft = memoryNeeds(run(), parts);
  expect(rank).toEqual({
    ...sft,
    activations: 2 * sft.activations,
    attention: 2 * sft.attention,
    logits: 0,
  });
});

test("a frozen student takes its weights once, with a new adapter or one that goes on", () => {
  const own = {
    student: 4 * gpt2,
    training: 0,
    teacher: 0,
    activations: 0,
    attention: 0,
    logits: 0,
  };
  expect(memoryNeeds(run({}, { rank: 8 }), { ...parts, teachers: [] })).toEqual(own);
  expect(memoryNeeds(run(), { ...parts, teachers: [], isAdapter: true })).toEqual(own);
});

test("without training there are only weights", () => {
  const measured = { ...parts, terms: dense, trains: false };
  expect(memoryNeeds(run(), measured)).toEqual({
    ...{ student: 4 * gpt2, training: 0, teacher: 4 * gpt2 },
    ...{ activations: 0, attention: 0, logits: 0 },
  });
  expect(largestTensors(run(), measured)).toMatchObject({ attention: 0, logits: 0 });
});

describe("what cannot fit", () => {
  const one = 2 ** 30;
  const rest = { teacher: 0, activations: 0, attention: 0, logits: 0 };
  const needs = { student: one, training: 3 * one, ...rest };
  const limits = { total: 4 * one, tensor: undefined };

  test("is refused with the numbers, to the byte", () => {
    expect(() => requireMemory(needs, {}, limits)).not.toThrow();
    expect(() => requireMemory({ ...needs, teacher: 1 }, {}, limits)).toThrow(
      /^backend: The run needs at least 4\.00 GiB of memory \(student 1\.00 GiB, training 3\.00 GiB, .*holds at most 4\.00 GiB\. Use a smaller student, or student\.lora, or a GPU/,
    );
  });

  test("names what to lower by what is largest", () => {
    const logits = { ...needs, logits: 5 * one };
    expect(() => requireMemory(logits, {}, limits)).toThrow(
      /Lower trainer\.batchSize.*hidden states/,
    );
    const teacher = { ...needs, teacher: 5 * one };
    expect(() => requireMemory(teacher, {}, limits)).toThrow(/Use a smaller teacher/);
  });

  test("on a GPU is a tensor beyond its buffers", () => {
    const tensors = largestTensors(run(), { ...parts, terms: dense });
    expect(tensors).toEqual({
      student: 4 * 50_257 * 768,
      teacher: 4 * 50_257 * 768,
      attention: 4 * 4 * 12 * 100 * 100,
      logits: 4 * 4 * 100 * 50_257,
    });
    const gpu = (tensor: number) => ({ total: undefined, tensor });
    expect(() => requireMemory(needs, tensors, gpu(4 * 50_257 * 768))).not.toThrow();
    expect(() => requireMemory(needs, tensors, gpu(2 ** 27))).toThrow(
      /^backend: The run needs a tensor of at least 0\.144 GiB \(student\), and the GPU's buffers hold at most 0\.125 GiB\. Use a smaller student/,
    );
    const long = largestTensors(run(), { ...parts, terms: dense, fewestPositions: 1000 });
    expect(() => requireMemory(needs, long, gpu(2 ** 28))).toThrow(/0\.749 GiB \(logits\)/);
  });

  test("depends on the backend", () => {
    const gpu = { device: { limits: { maxBufferSize: 9, maxStorageBufferBindingSize: 8 } } };
    expect(deviceLimits("webgpu", gpu)).toEqual({ total: undefined, tensor: 8 });
    expect(deviceLimits("webgpu", {})).toEqual({ total: undefined, tensor: undefined });
    expect(deviceLimits("wasm", {}, 2 ** 40)).toEqual({ total: 2 ** 32, tensor: undefined });
    expect(deviceLimits("tensorflow", {}, 7)).toEqual({ total: 7, tensor: undefined });
    expect(deviceLimits("tensorflow", { isUsingGpuDevice: true }, 7).total).toBeUndefined();
    // At least what this process has now.
    expect(deviceLimits("cpu", {}).total).toBeGreaterThan(process.memoryUsage.rss());
  });
});

test("the shortest row decides, by the positions that it has", () => {
  const of = (type: string, lengths: number[], trainer: object = { type: "sft" }) =>
    fewestPositions({ trainer, data: { type } } as never, {
      positions: 64,
      lengths: () => lengths,
    });
  expect(of("text", [])).toBe(64);
  expect(of("rows", [9, 5, 7])).toBe(4);
  expect(of("rows", [1])).toBe(1);
  expect(of("task", [])).toBe(1);
  expect(of("rows", [9], { type: "distill", onPolicyFraction: 0.5 })).toBe(1);
});

test("a policy gradient takes the completions of its problems, and the student it began with", () => {
  const own = { ...parts, teachers: [] };
  const reinforce = {
    ...{ type: "reinforce", minibatches: 4, reference: "initial" },
    sampler: { type: "plain", samplesPerProblem: 6 },
  };
  // 8 problems with 6 completions in 4 parts of 2 micro-batches.
  expect(memoryNeeds(run(reinforce), own)).toMatchObject({
    teacher: 4 * gpt2,
    activations: 4 * 6 * 100 * 2 * 12 * 768,
  });
  expect(memoryNeeds(run(reinforce, { rank: 8 }), own).teacher).toBe(0);
});

test("a student beyond the engine's memory is refused before it is made", async () => {
  await startBackend("wasm", { platform: nodePlatform });
  try {
    const output = temporaryFolder();
    const architecture = { family: "llama", hiddenSize: 2048, numLayers: 32, numHeads: 16 };
    const startMs = performance.now();
    const config = tinyRun(join(output), { backend: "wasm", student: { architecture } });
    await expect(runToEnd(config)).rejects.toThrow(/needs at least \d+\.?\d* GiB of memory/);
    // Its weights alone would take minutes.
    expect(performance.now() - startMs).toBeLessThan(10_000);
  } finally {
    await useCpu();
  }
});
