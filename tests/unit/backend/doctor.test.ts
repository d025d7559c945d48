import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { formatDoctor, inspectBackends } from "../../../src/backend/index.js";
import type { EnginePlatform } from "../../../src/ops/index.js";
import { adapterInfo, fakePlatform, platformWithAdapter } from "./fake-platform.js";

test("the report has every backend in order and leaves the current one alone", async () => {
  const packageVersion = (name: string) => (name.endsWith("cpu") ? "4.22.0" : undefined);
  const report = await inspectBackends(fakePlatform({ packageVersion }));
  expect(tf.getBackend()).toBe("cpu");
  expect(report.backends.map((b) => [b.backend, b.available])).toEqual([
    ["webgpu", false],
    ["tensorflow", false],
    ["wasm", true],
    ["cpu", true],
  ]);
  expect(report.taken).toBe("wasm");
  // On a CPU TensorFlow is slower than wasm.
  expect(report.nextBetter).toEqual({ backend: "webgpu", remedy: "Buy one.", needsGpu: true });

  const lines = formatDoctor(report);
  expect(lines[0]).toBe(`Test 1.0, TensorFlow.js ${tf.version_core}, Test CPU, 4 cores`);
  expect(lines.find((line) => line.includes("webgpu"))).toMatch(/no {2}there is no GPU$/);
  expect(lines.find((line) => line.startsWith("* wasm"))).toContain(
    "yes Test CPU (wasm: no compiler when it was installed, relaxed SIMD), 1 thread",
  );
  expect(lines.join("\n")).toContain("@tensorflow/tfjs-backend-cpu 4.22.0");
  expect(lines.join("\n")).toContain("On a CPU wasm is faster");
  expect(lines.at(-1)).toBe(
    "On this CPU no backend is faster. With a GPU webgpu would be: Buy one.",
  );
});

test("with a GPU, webgpu is what auto takes and nothing is better", async () => {
  const { platform, released } = platformWithAdapter(
    adapterInfo({ vendor: "nvidia", architecture: "hopper" }),
  );
  const report = await inspectBackends(platform);
  expect(released()).toBe(1);
  expect(report.taken).toBe("webgpu");
  expect(report.nextBetter).toBeUndefined();
  expect(formatDoctor(report).at(-1)).toBe('"auto" takes webgpu.');
});

test("a GPU in software is there for who has said that one will do, but not what auto takes", async () => {
  const { platform } = platformWithAdapter(
    adapterInfo({ vendor: "mesa", description: "llvmpipe (LLVM 22.1.8)" }),
  );
  expect((await inspectBackends(platform)).backends[0]?.available).toBe(false);
  const report = await inspectBackends({ ...platform, takesSoftwareGpu: true });
  expect(report.backends[0]).toMatchObject({ available: true, device: { threads: 1 } });
  expect(report.taken).toBe("wasm");
  const lines = formatDoctor(report);
  expect(lines.join("\n")).toContain('not by "auto": it is a GPU in software');
  expect(lines).toContain('"auto" takes wasm.');
});

test("an engine whose kernels cannot be read is not one that auto takes", async () => {
  const { cpuEngine } = fakePlatform();
  const loadKernels = async () => {
    throw new Error("no such file: kernels-plain.wasm");
  };
  const platform = fakePlatform({ cpuEngine: { ...(cpuEngine as EnginePlatform), loadKernels } });
  const report = await inspectBackends(platform);
  expect(report.taken).toBe("cpu");
  expect(report.nextBetter).toMatchObject({ backend: "wasm" });
  expect(report.nextBetter?.needsGpu).toBeUndefined();
  expect(formatDoctor(report).join("\n")).toContain("it failed: no such file: kernels-plain.wasm");
});

test("WebGPU is asked quietly, and otherwise only where it was wished", async () => {
  const asked: unknown[] = [];
  const platform = fakePlatform({
    provideGpu: async (search) => {
      asked.push(search);
      return { reason: "there is no GPU", remedy: "Buy one." };
    },
  });
  await inspectBackends(platform);
  await inspectBackends(platform, { verbose: true });
  expect(asked).toEqual([
    { allowSoftware: false, verbose: false },
    { allowSoftware: false, verbose: true },
  ]);
});
