/**
 * What a step may ask of a GPU, counted on any adapter. The student has the layers of the benchmark's small one and little
 * arithmetic; `npm run bench -- --backend webgpu` prints the same counts for the small one.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gpuSizes, type GpuStep } from "../../../bench/gpu/report.js";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import { makeTraining } from "../../../bench/gpu/workload.js";
import { useCpu } from "../../setup/backends/backend.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";

const { numLayers } = gpuSizes.tiny.model;
const { newTokens, batchSize } = gpuSizes.tiny;

/** Nothing is made after warm-up: what a step needs is there. */
function expectNothingMade({ buffers, bindGroups, pipelines }: GpuStep, at: string): void {
  expect({ buffers, bindGroups, pipelines }, at).toEqual({
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
  });
}

describe.skipIf(!hasVulkan)(`the budget of ${onWebGpu}`, () => {
  let training: ReturnType<typeof makeTraining>;
  beforeAll(async () => {
    await useWebGpu();
    training = makeTraining("tiny");
  });
  afterAll(async () => {
    training.dispose();
    await useCpu();
  });

  for (const replays of [false, true]) {
    const how = replays ? "replayed" : "computed in full";

    test(`of an off-policy step, ${how}`, async () => {
      Object.assign(tf.backend(), { replays });
      const steps = await training.train({ onPolicyFraction: 0, steps: 5 });
      for (const [i, step] of steps.entries()) {
        expect(step.dispatches, `step ${i + 1}`).toBeLessThanOrEqual(96);
        expect(step.submits).toBeLessThanOrEqual(2);
        expect(step.readbacks).toBe(1);
        if (i >= 2) expect(step.pipelines).toBe(0);
        if (i >= 3) expectNothingMade(step, `step ${i + 1}`);
      }
    });

    test(`of an on-policy step, ${how}`, async () => {
      Object.assign(tf.backend(), { replays });
      const steps = await training.train({ onPolicyFraction: 1, steps: 5 });
      for (const [i, step] of steps.entries()) {
        const ofTokens = newTokens * (4 * numLayers + 4);
        expect(step.dispatches).toBeLessThanOrEqual(ofTokens + 96 + 80);
        // One look at the tokens, however many, and one at the step.
        expect(step.submits).toBeLessThanOrEqual(2);
        expect(step.readbacks).toBeLessThanOrEqual(2);
        if (i >= 2) expect(step.pipelines).toBe(0);
        if (i >= 3) expectNothingMade(step, `step ${i + 1}`);
      }
      expect(tf.getBackend()).toBe("webgpu");
    });
  }

  test("of steps of many lengths: nothing is made after the third of a bucket, which are few", async () => {
    const steps = await training.train({ onPolicyFraction: 1, steps: 16, isRagged: true });
    const seen = new Map<number, number>();
    for (const [i, step] of steps.entries()) {
      const times = (seen.get(step.length) ?? 0) + 1;
      seen.set(step.length, times);
      const at = `step ${i + 1}, time ${times} of length ${step.length}`;
      if (times >= 3) expect(step.pipelines, at).toBe(0);
      if (times >= 4) expectNothingMade(step, at);
    }
    expect(seen.size).toBeGreaterThan(1);
    expect(seen.size).toBeLessThanOrEqual(3);
  });

  test("of a decoded token of the batch, and of all of them one look of the host", async () => {
    await training.generate(newTokens);
    const short = await training.generate(newTokens / 2);
    const long = await training.generate(newTokens);
    const more = newTokens / 2;
    expect((long.dispatches - short.dispatches) / more).toBeLessThanOrEqual(4 * numLayers + 4);
    expect(long.readbacks).toBe(1);
    expect(long.submits).toBe(1);
    expect(long.tokens).toBe(batchSize * newTokens);
    expect(long.pipelines).toBe(0);
  });

  test("of a long generation: one look where the last one was over, and one submit", async () => {
    await training.generate(4 * newTokens);
    const long = await training.generate(4 * newTokens);
    expect(long.dispatches).toBeGreaterThan(1024);
    expect(long.readbacks).toBe(1);
    expect(long.submits).toBe(1);
  });

  test("of a generation again and again: replayed, and then nothing is made", async () => {
    Object.assign(tf.backend(), { replays: true });
    const backend = tf.backend() as unknown as PooledBackend;
    const count = () => backend.replayReport().byName["sampling"]?.replayed ?? 0;
    for (let i = 0; i < 3; i++) await training.generate(newTokens);
    const before = count();
    const again = await training.generate(newTokens);
    expect(count() - before).toBe(1);
    expect(again.dispatches).toBeGreaterThan(newTokens * 4 * numLayers);
    expectNothingMade(again, "the fourth time");
  });
});
