/** Rows reduced by subgroup operations, against the same by workgroup memory. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../src/backend/index.js";
import { nodePlatform } from "../../../src/node/platform.js";
import {
  crossEntropyFromLogits,
  distributionStatistics,
  layerNorm,
  reducedRows,
  reducesRight,
  type GpuTensors,
  reverseKlFromLogits,
  rmsNorm,
  sampleTokens,
  setSubgroups,
  valuesToReduce,
} from "../../../src/ops/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { hasVulkan, onWebGpu } from "../../setup/backends/webgpu.js";
import { normals } from "../ops/cases/op-case.js";

const matrix = (rows: number, width: number, name: string) =>
  tf.tensor2d(Float32Array.from(normals([rows, width], name, 2).data), [rows, width]);

const useWebGpu = (subgroups: boolean) =>
  startBackend("webgpu", { platform: nodePlatform, allowSoftwareAdapter: true, subgroups });

/** What reduces rows, forward and backward, at widths below, at and above the lanes of a workgroup. */
async function compute(): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const width of [5, 64, 333]) {
    tf.engine().startScope();
    const [x, y] = [matrix(7, width, "x"), matrix(7, width, "y")];
    const [weight, bias] = [
      tf.range(1, width + 1).div<tf.Tensor1D>(width),
      tf.ones<tf.Rank.R1>([width]),
    ];
    const ids = tf.tensor2d([[0, 1, 2, 3, 4, 0, 1]], undefined, "int32");
    const batch = (rows: tf.Tensor) => rows.expandDims<tf.Tensor3D>(0);
    const uniforms = tf.tensor1d([0.1, 0.5, 0.9, 0.3, 0.7, 0.01, 0.99]);
    const settings = { samplingTemperature: 0.8, topK: 40, topP: 0.9, greedy: false };
    const ops: Record<string, () => tf.Tensor> = {
      rms: () => rmsNorm(x, weight, 1e-5),
      "rms gradient": () =>
        tf.grad((given) => rmsNorm(given as tf.Tensor2D, weight, 1e-5).square())(x),
      layer: () => layerNorm(x, weight, bias, 1e-5),
      "cross-entropy": () => crossEntropyFromLogits(batch(x), ids),
      "reverse KL gradient": () =>
        tf.grad((given) => reverseKlFromLogits(batch(given), batch(y), { temperature: 1 }).sum())(
          x,
        ),
      statistics: () => distributionStatistics(x, y),
      sampled: () => sampleTokens(x, settings, uniforms),
    };
    for (const [name, op] of Object.entries(ops)) {
      const result = op();
      found[`${name} ${width}`] = Array.from(await result.data());
    }
    tf.engine().endScope();
  }
  return found;
}

/** What is compiled on the current device while it is watched. */
function watchShaders(): { readonly codes: string[] } & Disposable {
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  const make = device.createShaderModule.bind(device);
  const codes: string[] = [];
  device.createShaderModule = (descriptor) => {
    codes.push(descriptor.code);
    return make(descriptor);
  };
  const end = () => {
    device.createShaderModule = make;
  };
  return { codes, [Symbol.dispose]: end };
}

describe.skipIf(!hasVulkan)(`${onWebGpu}: subgroups`, () => {
  afterAll(useCpu);

  test("reduce as workgroup memory does, once they have been checked", async () => {
    await useWebGpu(false);
    using compiled = watchShaders();
    const expected = await compute();
    const without = compiled.codes.splice(0);
    await useWebGpu(true);
    const actual = await compute();
    expect(without.filter((code) => code.includes("subgroup"))).toEqual([]);
    const reducing = compiled.codes.filter((code) => code.startsWith("enable subgroups;"));
    for (const operation of ["subgroupAdd", "subgroupMax", "subgroupMin"]) {
      expect(reducing.join()).toContain(`${operation}(value)`);
    }
    for (const [name, values] of Object.entries(expected)) {
      const scale = Math.max(...values.map(Math.abs));
      const apart = values.map((value, i) => Math.abs(value - (actual[name]?.[i] ?? Number.NaN)));
      expect(Math.max(...apart) / scale, name).toBeLessThan(2e-6);
    }
  });

  test("that reduce wrongly are refused", async () => {
    await useWebGpu(true);
    const values = valuesToReduce();
    const reduced = tf
      .engine()
      .makeTensorFromTensorInfo(reducedRows(tf.backend() as never as GpuTensors, values));
    const right = await reduced.data();
    reduced.dispose();
    expect(reducesRight(values, right)).toBe(true);
    for (let i = 0; i < right.length; i++) {
      const wrong = Float32Array.from(right, (value, at) => (at === i ? value + 0.25 : value));
      expect(reducesRight(values, wrong), `${i}`).toBe(false);
    }
    setSubgroups(false);
  });
});
