/** What goes wrong on a device: lost in the middle of a run, out of memory, commands that it refuses. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import type { RunConfig } from "../../../src/config/index.js";
import { DeviceError, PupilError } from "../../../src/errors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { metricsOf, runToEnd, tinyRun } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";

const currentDevice = () => (tf.backend() as unknown as { device: GPUDevice }).device;

const failureOf = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("Nothing failed.");
};

/** What this process may map beyond what it has mapped, until `free` lifts it; undefined where that cannot be said. */
function limitMemory(bytes: number): { free(): void } | undefined {
  const limit = (value: string) =>
    execFileSync("prlimit", ["--pid", String(process.pid), `--as=${value}:unlimited`]);
  try {
    const [, mapped] = /VmSize:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    limit(String(1024 * Number(mapped) + bytes));
  } catch {
    return undefined;
  }
  return { free: () => void limit("unlimited") };
}

/** A tiny run with a checkpoint after two of four steps. */
const runOfFour = () =>
  tinyRun(temporaryFolder(), {
    trainer: { type: "sft", steps: 4, batchSize: 2, warmupSteps: 1 },
    checkpoint: { every: 2 },
    evaluation: { every: 0, rows: 2 },
  });

/** That a run that failed at step 4 has its checkpoint of step 2, and goes on from it on a new device. */
async function expectResumed(config: RunConfig, lost: GPUDevice): Promise<void> {
  const checkpoints = join(config.output, config.name, "checkpoints");
  expect(readdirSync(checkpoints)).toEqual(["step-2"]);
  await useCpu();
  await useWebGpu();
  expect(currentDevice()).not.toBe(lost);
  const events = await runToEnd(config, { resume: true });
  expect(events[0]).toMatchObject({ type: "resumed", step: 2 });
  expect(events.at(-1)).toMatchObject({ type: "finished", stopped: false });
  const steps = metricsOf(config).filter(({ type }) => type === "step");
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
}

describe.skipIf(!hasVulkan)(`faults of ${onWebGpu}`, () => {
  afterEach(useCpu);

  test("a run whose device is lost keeps its last checkpoint and goes on from it", async () => {
    await useWebGpu();
    const config = runOfFour();
    const path = join(config.output, config.name);
    const device = currentDevice();
    const onStep = (step: number) => {
      if (step === 3) device.destroy();
    };
    const error = await failureOf(runToEnd(config, { onStep }));
    expect(error).toBeInstanceOf(PupilError);
    expect((error as PupilError).cause).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/^step 4: The GPU device was lost: it was destroyed/);
    expect(error.message).toContain("The last good checkpoint is");
    expect(error.message).toContain(`resume=${path} continues`);
    await expectResumed(config, device);
  });

  test("a run whose device has no memory left says what was asked for and goes on from its last checkpoint", async (context) => {
    await useWebGpu();
    const config = runOfFour();
    const path = join(config.output, config.name);
    const device = currentDevice();
    if (/llvmpipe/.test(device.adapterInfo.description)) {
      context.skip("Mesa's llvmpipe ends the process where memory ends");
    }
    // What every adapter binds at a time.
    const mebibytes = 128;
    const others: tf.Tensor[] = [];
    let limited: ReturnType<typeof limitMemory>;
    const onStep = (step: number) => {
      if (step !== 3) return;
      limited = limitMemory(1.5 * mebibytes * 2 ** 20);
      // What else the process wants of the device.
      for (let i = 0; i < 3; i++) others.push(tf.fill([(mebibytes * 2 ** 20) / 4], 1));
    };
    let error: Error;
    try {
      error = await failureOf(runToEnd(config, { onStep }));
    } finally {
      limited?.free();
      tf.dispose(others);
    }
    if (limited === undefined) context.skip("prlimit cannot limit the memory of this process");
    expect((error as PupilError).cause).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(
      /^step 4: The GPU has no memory left: a buffer of 128 MiB \(134,217,728 bytes\) was asked for beside \d+ MiB that pupil has\. /,
    );
    for (const remedy of ["trainer.batchSize", "trainer.gradientAccumulationSteps"]) {
      expect(error.message).toContain(remedy);
    }
    expect(error.message).toContain("The last good checkpoint is");
    expect(error.message).toContain(`resume=${path} continues`);
    await expectResumed(config, device);
  });

  test("a tensor that no buffer can hold is an error that says so, before anything is computed", async () => {
    await useWebGpu();
    const { maxBufferSize } = currentDevice().limits;
    const words = Math.floor(maxBufferSize / 4) + 1;
    expect(() => tf.fill([words], 1)).toThrow(/MiB is larger than a buffer of this GPU/);
  });

  test("a command that the device refuses makes every later read an error", async () => {
    await useWebGpu();
    const one = tf.tidy(() => tf.ones([256, 256]).add(1));
    currentDevice().createBuffer({
      size: 16,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE,
    });
    const error = await failureOf(one.data());
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(
      /^WebGPU refused a command, so what was computed last is wrong: /,
    );
    expect(error.message).toContain("pupil doctor --verbose");
    const two = one.add(1);
    expect(await failureOf(two.data())).toBe(error);
    tf.dispose([one, two]);
    currentDevice().destroy();
  });
});
