import type * as tf from "@tensorflow/tfjs-core";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { rowLanes } from "../programs/reductions.js";
import { lineView, registerGpuKernel, sizeOf, windowsOf } from "../programs/registry.js";

type Info = tf.TensorInfo;

export function registerEmbedding(): void {
  registerGpuKernel<{ weight: Info; ids: Info }>("PupilEmbedding", ({ weight, ids }, _, gpu) => {
    const [vocabulary, width] = weight.shape as [number, number];
    const rows = sizeOf(ids.shape);
    const out = gpu.newTensor([...ids.shape, width]);
    const shader = program("embedding", () => ({
      params: ["rows: u32", "width: u32", "first: i32", "count: i32", "vocabulary: i32"],
      ...{ reads: ["weight: f32", "ids: i32"], writes: ["y: f32"] },
      code: `
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let id = ids[row] - p.first;
  let known = id >= 0 && id < p.count;
  // The first window writes what no window has.
  let is_none = ids[row] < 0 || ids[row] >= p.vocabulary;
  if (!known && !(is_none && p.first == 0)) { return; }
  for (var i = lane; i < p.width; i = i + ${rowLanes}u) {
    y[row * p.width + i] = select(0.0, weight[u32(max(id, 0)) * p.width + i], known);
  }
}`,
    }));
    for (const window of windowsOf(gpu, vocabulary, width)) {
      const lines = lineView(gpu, weight, window, width);
      const params = [rows, width, window.start, window.count, vocabulary];
      gpu.run(shader, [lines, ids, out], params, groupsFor(rows));
      gpu.disposeData(lines.dataId);
    }
    return out;
  });
  registerGradient();
}

/**
 * The first position of an id adds up the rows of all its positions, in order, so that no two workgroups write the
 * same row: the same bits every time, without atomic additions.
 */
function registerGradient(): void {
  registerGpuKernel<{ dy: Info; ids: Info }, { vocabularySize: number }>(
    "PupilEmbeddingGrad",
    ({ dy, ids }, { vocabularySize }, gpu) => {
      const rows = sizeOf(ids.shape);
      const width = rows === 0 ? (dy.shape.at(-1) ?? 0) : sizeOf(dy.shape) / rows;
      const out = gpu.newTensor([vocabularySize, width]);
      gpu.clear(out);
      const shader = program("embedding gradient", () => ({
        params: ["rows: u32", "width: u32", "first: i32", "count: i32"],
        ...{ reads: ["dy: f32", "ids: i32"], writes: ["sums: f32"] },
        code: `
var<workgroup> seen: array<u32, ${rowLanes}>;
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let id = ids[row];
  var before = 0u;
  for (var j = lane; j < row; j = j + ${rowLanes}u) { before = before | u32(ids[j] == id); }
  seen[lane] = before;
  workgroupBarrier();
  for (var j = 0u; j < ${rowLanes}u; j = j + 1u) { before = before | seen[j]; }
  if (before != 0u || id < p.first || id >= p.first + p.count) { return; }
  for (var i = lane; i < p.width; i = i + ${rowLanes}u) {
    var sum = 0.0;
    for (var j = row; j < p.rows; j = j + 1u) {
      if (ids[j] == id) { sum = sum + dy[j * p.width + i]; }
    }
    sums[u32(id - p.first) * p.width + i] = sum;
  }
}`,
      }));
      for (const window of windowsOf(gpu, vocabularySize, width)) {
        const lines = lineView(gpu, out, window, width);
        const params = [rows, width, window.start, window.count];
        gpu.run(shader, [dy, ids, lines], params, groupsFor(rows));
        gpu.disposeData(lines.dataId);
      }
      return out;
    },
  );
}
