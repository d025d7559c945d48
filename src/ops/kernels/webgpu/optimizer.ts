import type * as tf from "@tensorflow/tfjs-core";
import type { AdamwAttributes } from "../../optimizer/adamw-update.js";
import type { AverageAttributes } from "../../optimizer/average-update.js";
import { groupIndex, groupsFor, program, rowArguments } from "./programs/program.js";
import { laneSum } from "./programs/reductions.js";
import {
  type GpuTensors,
  lineView,
  registerGpuKernel,
  sizeOf,
  windowsOf,
} from "./programs/registry.js";

type Info = tf.TensorInfo;
type Named = Record<string, Info>;

/** Words of a block: a workgroup works on one, and no two tensors share one. */
export const blockWords = 256;
const lanes = 64;

const blocksOf = ({ shape }: Info) => Math.ceil(sizeOf(shape) / blockWords);

/** Blocks that one workgroup of the norm adds up. */
const blocksPerSum = 64;

function registerNorm(): void {
  registerGpuKernel<Named>("PupilGlobalNorm", (named, _, gpu) => {
    const tensors = Object.values(named);
    const array = gpu.pack(tensors, blockWords);
    if (array === undefined) return undefined;
    const blocks = tensors.reduce((sum, tensor) => sum + blocksOf(tensor), 0);
    const count = Math.ceil(blocks / blocksPerSum);
    const partial = gpu.newTensor([count]);
    const out = gpu.newTensor([]);
    const squares = program("sums of squares", () => ({
      params: ["count: u32", "first: u32", "words: u32"],
      ...{ reads: ["x: f32"], writes: ["sums: f32"] },
      code: `${laneSum(lanes)}
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let group = ${groupIndex};
  if (group >= p.count) { return; }
  let start = group * ${blocksPerSum * blockWords}u;
  let end = min(p.words, start + ${blocksPerSum * blockWords}u);
  var sum = 0.0;
  for (var i = start + lane; i < end; i = i + ${lanes}u) { sum = sum + x[i] * x[i]; }
  sum = reduce_sum(sum, lane);
  if (lane == 0u) { sums[p.first + group] = sum; }
}`,
    }));
    for (const { start, count: some } of windowsOf(gpu, count, blocksPerSum * blockWords)) {
      const [firstBlock, lastBlock] = [start, start + some].map((sum) => sum * blocksPerSum);
      const window = {
        start: firstBlock as number,
        count: Math.min(blocks, lastBlock as number) - (firstBlock as number),
      };
      const part = lineView(gpu, array, window, blockWords);
      const params = [some, start, window.count * blockWords];
      gpu.run(squares, [part, partial], params, groupsFor(some));
      gpu.disposeData(part.dataId);
    }
    const root = program("root of sum", () => ({
      ...{ params: ["count: u32"], reads: ["sums: f32"], writes: ["norm: f32"] },
      code: `${laneSum(lanes)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.count; i = i + ${lanes}u) { sum = sum + sums[i]; }
  sum = reduce_sum(sum, lane);
  if (lane == 0u) { norm[0] = sqrt(sum); }
}`,
    }));
    gpu.run(root, [partial, out], [count], [1, 1, 1]);
    gpu.disposeData(partial.dataId);
    return out;
  });
}

function registerClipScale(): void {
  registerGpuKernel<{ norm: Info }, { maxGradNorm: number }>(
    "PupilClipScale",
    ({ norm }, { maxGradNorm }, gpu) => {
      const out = gpu.newTensor([]);
      const shader = program("clip scale", () => ({
        ...{ params: ["most: f32"], reads: ["norm: f32"], writes: ["scale: f32"] },
        code: `
@compute @workgroup_size(1)
fn main() { scale[0] = min(1.0, p.most / (norm[0] + 1e-6)); }`,
      }));
      gpu.run(shader, [norm, out], [maxGradNorm], [1, 1, 1]);
      return out;
    },
  );
}

/** Weight decay by block, on the device; made again when it or the parameters change. */
const decays = new WeakMap<GpuTensors, { readonly key: string; readonly array: Info }>();

function decayByBlock(
  gpu: GpuTensors,
  parameters: readonly Info[],
  weightDecays: readonly number[],
): Info {
  const key = parameters.map((p, i) => `${blocksOf(p)}:${weightDecays[i]}`).join();
  const known = decays.get(gpu);
  if (known?.key === key) return known.array;
  if (known) gpu.disposeData(known.array.dataId);
  const values = parameters.flatMap((p, i) =>
    new Array<number>(blocksOf(p)).fill(weightDecays[i] as number),
  );
  const array = gpu.constant(Float32Array.from(values));
  decays.set(gpu, { key, array });
  return array;
}

/**
 * In place: parameters and moments are moved into three arrays when they are first updated. The gradients of a step are in
 * one since its norm. What changes from step to step is data, `rates`.
 */
function registerUpdate(): void {
  registerGpuKernel<Named, AdamwAttributes>(
    "PupilAdamwUpdate",
    (tensors, { weightDecays, beta1, beta2, epsilon }, gpu) => {
      const all = (name: string) => weightDecays.map((_, i) => tensors[`${name}${i}`] as Info);
      const states = [all("parameter"), all("firstMoment"), all("secondMoment")];
      if (states.flat().some(({ dataId }) => gpu.refCount(dataId) !== 1)) return undefined;
      const arrays: Info[] = [];
      for (const list of [...states, all("gradient")]) {
        const packed = gpu.pack(list, blockWords);
        if (packed === undefined) return undefined;
        arrays.push(packed);
      }
      const [parameters, first, second, gradients] = arrays as [Info, Info, Info, Info];
      const blocks = all("parameter").reduce((sum, tensor) => sum + blocksOf(tensor), 0);
      const decay = decayByBlock(gpu, states[0] as Info[], weightDecays);
      const shader = program("adamw", () => ({
        params: [
          ...["blocks: u32", "first_block: u32"],
          ...["beta1: f32", "rest1: f32", "beta2: f32", "rest2: f32", "epsilon: f32"],
        ],
        reads: ["gradients: f32", "scale: f32", "decay: f32", "rates: f32"],
        writes: ["parameters: f32", "first: f32", "second: f32"],
        code: `
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let block = ${groupIndex};
  if (block >= p.blocks) { return; }
  let rate = rates[1];
  let root = rates[2];
  let keep = 1.0 - rates[0] * decay[p.first_block + block];
  for (var i = block * ${blockWords}u + lane; i < (block + 1u) * ${blockWords}u; i = i + ${lanes}u) {
    let g = gradients[i] * scale[0];
    let m = first[i] * p.beta1 + g * p.rest1;
    let v = second[i] * p.beta2 + g * g * p.rest2;
    first[i] = m;
    second[i] = v;
    parameters[i] = parameters[i] * keep - m / (sqrt(v) * root + p.epsilon) * rate;
  }
}`,
      }));
      const constants = [beta1, 1 - beta1, beta2, 1 - beta2, epsilon];
      const given = ["gradientScale", "rates"].map((name) => tensors[name] as Info);
      const [scale, rates] = given as [Info, Info];
      for (const window of windowsOf(gpu, blocks, blockWords)) {
        const parts = [gradients, parameters, first, second].map((array) =>
          lineView(gpu, array, window, blockWords),
        );
        const [gradient, ...state] = parts as [Info, ...Info[]];
        const params = [window.count, window.start, ...constants];
        const read = [gradient, scale, decay, rates];
        gpu.run(shader, [...read, ...state], params, groupsFor(window.count));
        for (const { dataId } of parts) gpu.disposeData(dataId);
      }
      return [];
    },
  );
}

/** In place. */
function registerAverage(): void {
  registerGpuKernel<{ average: Info; current: Info }, AverageAttributes>(
    "PupilAverageUpdate",
    ({ average, current }, { decay }, gpu) => {
      if (gpu.refCount(average.dataId) !== 1) return undefined;
      const shader = program("average", () => ({
        params: ["words: u32", "decay: f32", "rest: f32"],
        ...{ reads: ["current: f32"], writes: ["average: f32"] },
        code: `
@compute @workgroup_size(${blockWords})
fn main(${rowArguments}) {
  let i = ${groupIndex} * ${blockWords}u + lane;
  if (i >= p.words) { return; }
  average[i] = average[i] * p.decay + current[i] * p.rest;
}`,
      }));
      for (const window of windowsOf(gpu, sizeOf(average.shape), 1)) {
        const parts = [current, average].map((tensor) => lineView(gpu, tensor, window, 1));
        const groups = groupsFor(Math.ceil(window.count / blockWords));
        gpu.run(shader, parts, [window.count, decay, 1 - decay], groups);
        for (const { dataId } of parts) gpu.disposeData(dataId);
      }
      return [];
    },
  );
}

export function registerOptimizer(): void {
  registerNorm();
  registerClipScale();
  registerUpdate();
  registerAverage();
}
