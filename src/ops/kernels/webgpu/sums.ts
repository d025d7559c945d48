import type * as tf from "@tensorflow/tfjs-core";
import { groupsOfEntries, perEntry } from "./programs/entries.js";
import { program } from "./programs/program.js";
import { laneSum } from "./programs/reductions.js";
import { registerGpuKernel, sizeOf } from "./programs/registry.js";

type Info = tf.TensorInfo;
const lanes = 256;

/** One workgroup, whose lanes add up entries in an order of their own: the same bits every time. */
function registerMaskedSum(): void {
  registerGpuKernel<{ values: Info; mask: Info }>("PupilMaskedSum", ({ values, mask }, _, gpu) => {
    const out = gpu.newTensor([]);
    const shader = program("masked sum", () => ({
      ...{ params: ["size: u32"], reads: ["values: f32", "mask: f32"], writes: ["total: f32"] },
      code: `${laneSum(lanes)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.size; i = i + ${lanes}u) {
    if (mask[i] != 0.0) { sum = sum + mask[i] * values[i]; }
  }
  sum = reduce_sum(sum, lane);
  if (lane == 0u) { total[0] = sum; }
}`,
    }));
    gpu.run(shader, [values, mask, out], [sizeOf(values.shape)], [1, 1, 1]);
    return out;
  });
  registerGpuKernel<{ dy: Info; mask: Info }>("PupilMaskedSumGrad", ({ dy, mask }, _, gpu) => {
    const out = gpu.newTensor(mask.shape);
    const size = sizeOf(mask.shape);
    const shader = program("masked sum gradient", () => ({
      ...{ params: ["size: u32"], reads: ["dy: f32", "mask: f32"], writes: ["dx: f32"] },
      code: perEntry("dx[i] = mask[i] * dy[0];"),
    }));
    gpu.run(shader, [dy, mask, out], [size], groupsOfEntries(size));
    return out;
  });
}

/** The axes that a reduction of tfjs goes over, all by default, and the shape that it leaves. */
export function reduction(
  shape: readonly number[],
  axis: number | number[] | null | undefined,
  keepDims: boolean,
): { readonly axes: readonly number[]; readonly shape: number[] } {
  const given = axis == null ? shape.map((_, i) => i) : [axis].flat();
  const axes = given.map((i) => (i < 0 ? i + shape.length : i));
  const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return { axes, shape: keepDims ? kept : shape.filter((_, i) => !axes.includes(i)) };
}

/** tfjs's own sum divides 0 by 0 where there is nothing to add. */
function registerEmptySums(): void {
  registerGpuKernel<{ x: Info }, { axis?: number | number[] | null; keepDims?: boolean }>(
    "Sum",
    ({ x }, { axis, keepDims = false }, gpu) => {
      if (sizeOf(x.shape) > 0) return undefined;
      const { shape } = reduction(x.shape, axis, keepDims);
      return gpu.makeTensorInfo(shape, x.dtype, new Float32Array(sizeOf(shape)));
    },
  );
}

/** Scalars side by side, as copies: the one read of a step wants them in one array. */
function registerStackedScalars(): void {
  registerGpuKernel<Record<string, Info>>("Pack", (named, _, gpu) => {
    const scalars = Object.values(named);
    const isPlain = ({ shape, dtype }: Info) => shape.length === 0 && dtype === "float32";
    if (!scalars.every(isPlain)) return undefined;
    const out = gpu.newTensor([scalars.length]);
    for (const [i, scalar] of scalars.entries()) gpu.copy(scalar, out, i);
    return out;
  });
}

export function registerSums(): void {
  registerMaskedSum();
  registerEmptySums();
  registerStackedScalars();
}
