import type * as tf from "@tensorflow/tfjs-core";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { rowLanes } from "../programs/reductions.js";
import { registerGpuKernel } from "../programs/registry.js";

/** A workgroup for each row: every lane counts a piece of it, and adds what the pieces before hold. */
export function registerPositionIds(): void {
  registerGpuKernel<{ attentionMask: tf.TensorInfo }, { numCached: number }>(
    "PupilPositionIds",
    ({ attentionMask }, { numCached }, gpu) => {
      const [rows, columns] = attentionMask.shape as [number, number];
      const out = gpu.newTensor([rows, columns - numCached], "int32");
      const type = attentionMask.dtype === "float32" ? "f32" : "i32";
      const shader = program(`position ids ${type}`, () => ({
        params: ["rows: u32", "columns: u32", "cached: u32"],
        ...{ reads: [`mask: ${type}`], writes: ["positions: i32"] },
        code: `
var<workgroup> counts: array<i32, ${rowLanes}>;
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let piece = (p.columns + ${rowLanes - 1}u) / ${rowLanes}u;
  let first = min(lane * piece, p.columns);
  let end = min(first + piece, p.columns);
  var count = 0;
  for (var i = first; i < end; i = i + 1u) { count = count + i32(mask[row * p.columns + i]); }
  counts[lane] = count;
  workgroupBarrier();
  count = 0;
  for (var i = 0u; i < lane; i = i + 1u) { count = count + counts[i]; }
  for (var i = first; i < end; i = i + 1u) {
    count = count + i32(mask[row * p.columns + i]);
    if (i >= p.cached) {
      positions[row * (p.columns - p.cached) + i - p.cached] = max(count - 1, 0);
    }
  }
}`,
      }));
      gpu.run(shader, [attentionMask, out], [rows, columns, numCached], groupsFor(rows));
      return out;
    },
  );
}
