import type * as tf from "@tensorflow/tfjs-core";
import { program, rowArguments } from "./program.js";
import { laneMax, laneMin, laneSum, rowLanes } from "./reductions.js";
import type { GpuTensors } from "./registry.js";

const rows = 8;

/** Sums, largest and smallest values of some rows by the reductions that are in use, `[3 · rows]`, row by row. */
export function reducedRows(gpu: GpuTensors, values: Float32Array): tf.TensorInfo {
  const x = gpu.makeTensorInfo([values.length], "float32", values);
  const out = gpu.newTensor([3 * rows]);
  const shader = program("check of reductions", () => ({
    params: ["rows: u32"],
    reads: ["x: f32"],
    writes: ["y: f32"],
    code: `${laneSum()}${laneMax()}${laneMin()}
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let value = x[g.x * ${rowLanes}u + lane];
  let total = reduce_sum(value, lane);
  let most = reduce_max(value, lane);
  let least = reduce_min(value, lane);
  // By the last lane: it must have them, too.
  if (lane == ${rowLanes - 1}u) { y[3u * g.x] = total; y[3u * g.x + 1u] = most; y[3u * g.x + 2u] = least; }
}`,
  }));
  gpu.run(shader, [x, out], [rows], [rows, 1, 1]);
  gpu.disposeData(x.dataId);
  return out;
}

/** Values for {@link reducedRows}, of which no two sums of lanes are alike. */
export function valuesToReduce(): Float32Array {
  return Float32Array.from({ length: rows * rowLanes }, (_, i) => ((i * 7919) % 1009) / 64 - 7);
}

/** Whether what was reduced on the device is what the values give. */
export function reducesRight(values: Float32Array, reduced: ArrayLike<number>): boolean {
  return Array.from({ length: rows }, (_, row) => {
    const lanes = values.subarray(row * rowLanes, (row + 1) * rowLanes);
    const total = lanes.reduce((sum, value) => sum + value, 0);
    const size = lanes.reduce((sum, value) => sum + Math.abs(value), 0);
    const [sum, most, least] = [0, 1, 2].map((i) => reduced[3 * row + i] as number);
    const isSum = Math.abs((sum as number) - total) <= 1e-5 * size;
    return isSum && most === Math.max(...lanes) && least === Math.min(...lanes);
  }).every(Boolean);
}
