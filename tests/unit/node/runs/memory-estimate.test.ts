import { join } from "node:path";
import { expect, test } from "vitest";
import { modelConfigSchema } from "../../../../src/models/index.js";
import {
  memoryNeeds,
  requireMemory,
  shortestRow,
} from "../../../../src/node/runs/memory-estimate.js";
import { startBackend } from "../../../../src/backend/index.js";
import { nodePlatform } from "../../../../src/node/index.js";
import { useCpu } from "../../../setup/backend.js";
import { runToEnd, tinyRun } from "../../../setup/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

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

test("GPT-2 takes its weights four times over, and the inputs of its norms", () => {
  const needs = memoryNeeds(run(), { student: config, teachers: [config], shortestRow: 100 });
  expect(needs).toEqual({
    student: 4 * gpt2,
    training: 12 * gpt2,
    teacher: 4 * gpt2,
    activations: 4 * 4 * 100 * 2 * 12 * 768,
  });
});

test("the shortest row is that of the data, unless the student writes", () => {
  const shortest = (changes: object, type = "task", lengths: number[] | undefined = [7, 5, 6]) =>
    shortestRow({ ...run(changes), data: { type } } as never, {
      positions: 12,
      ...(lengths && { lengths: () => lengths }),
    });
  expect(shortest({})).toBe(5);
  expect(shortest({}, "text")).toBe(12);
  expect(shortest({}, "task", [])).toBe(1);
  expect(shortest({ type: "distill", onPolicyFraction: 0 })).toBe(5);
  expect(shortest({ type: "distill", onPolicyFraction: 0.1 })).toBe(1);
});

test("a frozen student takes its weights once", () => {
  const parts = { student: config, teachers: [], shortestRow: 100 };
  expect(memoryNeeds(run({}, { rank: 8 }), parts)).toEqual({
    ...{ student: 4 * gpt2, training: 0, teacher: 0, activations: 0 },
  });
});

test("a policy gradient takes the completions of its problems, and the student it began with", () => {
  const parts = { student: config, teachers: [], shortestRow: 100 };
  const reinforce = {
    ...{ type: "reinforce", minibatches: 4, reference: "initial" },
    sampler: { type: "plain", samplesPerProblem: 6 },
  };
  // 8 problems with 6 completions in 4 parts of 2 micro-batches.
  expect(memoryNeeds(run(reinforce), parts)).toMatchObject({
    teacher: 4 * gpt2,
    activations: 4 * 6 * 100 * 2 * 12 * 768,
  });
  expect(memoryNeeds(run(reinforce, { rank: 8 }), parts).teacher).toBe(0);
});

test("what fits is accepted to the byte, and what does not is refused with the numbers", () => {
  const needs = { student: 2 ** 30, training: 3 * 2 ** 30, teacher: 0, activations: 0 };
  expect(() => requireMemory(needs, 2 ** 32)).not.toThrow();
  expect(() => requireMemory({ ...needs, teacher: 1 }, 2 ** 32)).toThrow(
    /^backend: The run needs at least 4\.00 GiB of memory \(student 1\.00 GiB, training 3\.00 GiB, .*holds at most 4\.00 GiB\. Use a smaller/,
  );
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
