import type * as tf from "@tensorflow/tfjs-core";
import { program } from "../programs/program.js";
import { type GpuTensors, rowsOf } from "../programs/registry.js";

/** Rows that are added up one after the other before their sums are, which keeps roundings small. */
const [columns, strips] = [16, 16];

/**
 * Sums of matrices with equally many rows over their rows, each `[rows, width]` to `[width]`, in one call. A workgroup
 * takes some columns of one of them and all rows, always in the same order.
 */
export function columnSums(gpu: GpuTensors, matrices: readonly tf.TensorInfo[]): tf.TensorInfo[] {
  const { rows } = rowsOf(matrices[0] as tf.TensorInfo);
  const widths = matrices.map((matrix) => rowsOf(matrix).width);
  const outputs = gpu.newTensors(widths.map((width) => [width]));
  const byMatrix = (of: (i: number) => string) =>
    matrices.map((_, i) => `if (g.z == ${i}u) { ${of(i)} }`).join(" ");
  const shader = program(`column sums ${matrices.length}`, () => ({
    params: ["rows: u32", ...matrices.map((_, i) => `width${i}: u32`)],
    reads: matrices.map((_, i) => `x${i}: f32`),
    writes: matrices.map((_, i) => `y${i}: f32`),
    code: `
var<workgroup> strips: array<f32, ${columns * strips}>;
@compute @workgroup_size(${columns}, ${strips})
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_id) l: vec3u) {
  let col = g.x * ${columns}u + l.x;
  var sum = 0.0;
  ${byMatrix(
    (i) => `if (col < p.width${i}) {
    for (var row = l.y; row < p.rows; row = row + ${strips}u) { sum = sum + x${i}[row * p.width${i} + col]; }
  }`,
  )}
  strips[l.y * ${columns}u + l.x] = sum;
  workgroupBarrier();
  if (l.y == 0u) {
    var total = 0.0;
    for (var i = 0u; i < ${strips}u; i = i + 1u) { total = total + strips[i * ${columns}u + l.x]; }
    ${byMatrix((i) => `if (col < p.width${i}) { y${i}[col] = total; }`)}
  }
}`,
  }));
  const groups = [Math.ceil(Math.max(...widths) / columns), 1, matrices.length] as const;
  gpu.run(shader, [...matrices, ...outputs], [rows, ...widths], groups);
  return outputs;
}
