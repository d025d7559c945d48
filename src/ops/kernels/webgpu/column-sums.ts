import type * as tf from "@tensorflow/tfjs-core";
import { program } from "./program.js";
import { type GpuTensors, rowsOf } from "./registry.js";

/** Rows that are added up one after the other before their sums are, which keeps roundings small. */
const [columns, strips] = [16, 16];

/**
 * Sums of matrices with equally many rows over their rows, each `[rows, width]` to `[width]`. A workgroup
 * takes some columns and all rows, always in the same order.
 */
export function columnSums(gpu: GpuTensors, matrices: readonly tf.TensorInfo[]): tf.TensorInfo[] {
  const { rows } = rowsOf(matrices[0] as tf.TensorInfo);
  return matrices.map((matrix) => {
    const { width } = rowsOf(matrix);
    const out = gpu.newTensor([width]);
    const sums = program("column sums", () => ({
      ...{ params: ["rows: u32", "width: u32"], reads: ["x: f32"], writes: ["y: f32"] },
      code: `
var<workgroup> strips: array<f32, ${columns * strips}>;
@compute @workgroup_size(${columns}, ${strips})
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_id) l: vec3u) {
  let col = g.x * ${columns}u + l.x;
  var sum = 0.0;
  if (col < p.width) {
    for (var row = l.y; row < p.rows; row = row + ${strips}u) { sum = sum + x[row * p.width + col]; }
  }
  strips[l.y * ${columns}u + l.x] = sum;
  workgroupBarrier();
  if (l.y == 0u && col < p.width) {
    var total = 0.0;
    for (var i = 0u; i < ${strips}u; i = i + 1u) { total = total + strips[i * ${columns}u + l.x]; }
    y[col] = total;
  }
}`,
    }));
    gpu.run(sums, [matrix, out], [rows, width], [Math.ceil(width / columns), 1, 1]);
    return out;
  });
}
