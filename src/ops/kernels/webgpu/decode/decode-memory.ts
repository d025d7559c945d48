import type * as tf from "@tensorflow/tfjs-core";
import { decodeKernels, type PackAttributes } from "../../../attention/decode-token.js";
import { groupsOfEntries, perEntry } from "../programs/entries.js";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { type GpuTensors, registerGpuKernel, sizeOf } from "../programs/registry.js";

type Info = tf.TensorInfo;
const lanes = 256;

/**
 * Weights of layers with one input side by side, `[inner, columns]`, and their biases where there are any. Of weights that are held as
 * binary16, so is the copy.
 */
export function packWeights(
  inputs: Record<string, Info>,
  { parts, weightLayout }: PackAttributes,
  gpu: GpuTensors,
): Info[] {
  const outIn = weightLayout === "out-in";
  const first = inputs["weight0"] as Info;
  const inner = first.shape[outIn ? 1 : 0] as number;
  const total = parts.reduce((sum, { columns }) => sum + columns, 0);
  const packed = gpu.newTensor([inner, total]);
  const hasBias = parts.some((_, i) => inputs[`bias${i}`] !== undefined);
  const bias = hasBias ? gpu.newTensor([total]) : undefined;
  if (bias) gpu.clear(bias);
  let column = 0;
  for (const [i, { start, columns }] of parts.entries()) {
    const weight = inputs[`weight${i}`] as Info;
    const own = inputs[`bias${i}`];
    const shader = program(`pack ${weightLayout}${own ? ", bias" : ""}`, () => ({
      params: [
        "inner: u32",
        "columns: u32",
        "stride: u32",
        "start: u32",
        "total: u32",
        "column: u32",
      ],
      reads: ["weight: f32", ...(own ? ["bias: f32"] : [])],
      writes: ["packed: f32", ...(own ? ["biases: f32"] : [])],
      code: `
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let i = ${groupIndex} * ${lanes}u + lane;
  if (i >= p.inner * p.columns) { return; }
  let k = i / p.columns;
  let c = i % p.columns;
  packed[k * p.total + p.column + c] = weight[${outIn ? "(p.start + c) * p.stride + k" : "k * p.stride + p.start + c"}];
  ${own ? "if (k == 0u) { biases[p.column + c] = bias[p.start + c]; }" : ""}
}`,
    }));
    const tensors = [weight, ...(own ? [own] : []), packed, ...(own && bias ? [bias] : [])];
    const params = [inner, columns, weight.shape[1] as number, start, total, column];
    gpu.run(shader, tensors, params, groupsFor(Math.ceil((inner * columns) / lanes)));
    column += columns;
  }
  if (parts.every((_, i) => gpu.isHalf(inputs[`weight${i}`] as Info))) gpu.holdAsHalf(packed);
  return [packed, ...(bias ? [bias] : [])];
}

export function registerCache(): void {
  registerGpuKernel<{ cache: Info; values: Info }, { start: number }>(
    decodeKernels.writeCache,
    ({ cache, values }, { start }, gpu) => {
      const [rows, capacity, ...rest] = cache.shape as [number, number, number, number];
      const length = values.shape[1] as number;
      if (start + length > capacity) {
        throw new Error(`${start + length} positions in a cache of ${capacity}.`);
      }
      const width = sizeOf(rest);
      const shader = program("write cache", () => ({
        params: ["size: u32", "piece: u32", "whole: u32", "start: u32"],
        ...{ reads: ["values: f32"], writes: ["cache: f32"] },
        code: perEntry("cache[(i / p.piece) * p.whole + p.start + i % p.piece] = values[i];"),
      }));
      const size = rows * length * width;
      const params = [size, length * width, capacity * width, start * width];
      gpu.run(shader, [values, cache], params, groupsOfEntries(size));
      return [];
    },
  );
}
