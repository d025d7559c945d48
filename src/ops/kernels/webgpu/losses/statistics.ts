import type * as tf from "@tensorflow/tfjs-core";
import { distributionStatisticNames } from "../../../row-losses/distribution-statistics.js";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { laneMax, laneSum } from "../programs/reductions.js";
import { type GpuTensors, registerGpuKernel, rowsOf, sizeOf } from "../programs/registry.js";
import { lanesFor } from "./row-loss-shader.js";

type Info = tf.TensorInfo;
/** All columns of a row that stands for none. */
const unlessChosen = `if (chosen[row] < 0) {
      for (var i = 0u; i < 6u; i = i + 1u) { columns[6u * row + i] = 0.0; }
      return;
    }`;
const smallestNormal = "1.1754943508222875e-38";

/**
 * The columns of `distributionStatistics`, all in one pass over a row's two distributions.
 *
 * @param chosen which rows, `[N]`; without it all. −1 stands for none, of which all columns are 0
 */
function statistics(
  gpu: GpuTensors,
  studentLogits: Info,
  teacherLogits: Info,
  chosen?: Info,
): Info {
  const { rows: all, width } = rowsOf(studentLogits);
  const rows = chosen ? sizeOf(chosen.shape) : all;
  const out = gpu.newTensor([rows, distributionStatisticNames.length]);
  const lanes = lanesFor(width);
  const each = (code: string) => `for (var i = lane; i < p.width; i = i + ${lanes}u) { ${code} }`;
  const likely = (probability: string, term: string) =>
    `select(0.0, ${probability} * (${term}), ${probability} >= ${smallestNormal})`;
  const shader = program(`distribution statistics ${lanes}${chosen ? ", chosen" : ""}`, () => ({
    params: ["rows: u32", "width: u32"],
    reads: ["student: f32", "teacher: f32", ...(chosen ? ["chosen: i32"] : [])],
    writes: ["columns: f32"],
    code: `${laneSum(lanes)}${laneMax(lanes)}
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let at = ${chosen ? "u32(max(chosen[row], 0))" : "row"} * p.width;
  var a = -3.4e38;
  var b = -3.4e38;
  ${each("a = max(a, student[at + i]); b = max(b, teacher[at + i]);")}
  let most_s = reduce_max(a, lane);
  let most_t = reduce_max(b, lane);
  a = 0.0;
  b = 0.0;
  // The first of the likeliest words, as the largest of their negative numbers.
  var first_s = -f32(p.width);
  var first_t = first_s;
  ${each(`
    a = a + exp(student[at + i] - most_s);
    b = b + exp(teacher[at + i] - most_t);
    if (student[at + i] == most_s) { first_s = max(first_s, -f32(i)); }
    if (teacher[at + i] == most_t) { first_t = max(first_t, -f32(i)); }`)}
  let zs = reduce_sum(a, lane);
  let zt = reduce_sum(b, lane);
  first_s = reduce_max(first_s, lane);
  first_t = reduce_max(first_t, lane);
  let log_zs = log(zs);
  let log_zt = log(zt);
  var forward = 0.0;
  var reverse = 0.0;
  var entropy_s = 0.0;
  var entropy_t = 0.0;
  var variation = 0.0;
  ${each(`
    let ls = student[at + i] - most_s - log_zs;
    let lt = teacher[at + i] - most_t - log_zt;
    let ps = exp(student[at + i] - most_s) / zs;
    let pt = exp(teacher[at + i] - most_t) / zt;
    forward = forward + ${likely("pt", "lt - ls")};
    reverse = reverse + ${likely("ps", "ls - lt")};
    entropy_s = entropy_s - ${likely("ps", "ls")};
    entropy_t = entropy_t - ${likely("pt", "lt")};
    variation = variation + abs(pt - ps);`)}
  forward = reduce_sum(forward, lane);
  reverse = reduce_sum(reverse, lane);
  entropy_s = reduce_sum(entropy_s, lane);
  entropy_t = reduce_sum(entropy_t, lane);
  variation = reduce_sum(variation, lane);
  if (lane == 0u) {
    ${chosen ? unlessChosen : ""}
    columns[6u * row] = forward;
    columns[6u * row + 1u] = reverse;
    columns[6u * row + 2u] = entropy_s;
    columns[6u * row + 3u] = entropy_t;
    columns[6u * row + 4u] = 0.5 * variation;
    columns[6u * row + 5u] = select(0.0, 1.0, first_s == first_t);
  }
}`,
  }));
  const reads = [studentLogits, teacherLogits, ...(chosen ? [chosen] : [])];
  gpu.run(shader, [...reads, out], [rows, width], groupsFor(rows));
  return out;
}

/** The sum of each column, as scalars. */
function columnScalars(gpu: GpuTensors, matrix: Info): Info[] {
  const { rows, width } = rowsOf(matrix);
  const outputs = gpu.newTensors(Array.from({ length: width }, () => []));
  const lanes = 64;
  const shader = program(`scalars of ${width} columns`, () => ({
    ...{ params: ["rows: u32"], reads: ["x: f32"] },
    writes: outputs.map((_, i) => `sum${i}: f32`),
    code: `${laneSum(lanes)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  ${outputs
    .map(
      (_, i) => `total = 0.0;
  for (var row = lane; row < p.rows; row = row + ${lanes}u) { total = total + x[row * ${width}u + ${i}u]; }
  total = reduce_sum(total, lane);
  if (lane == 0u) { sum${i}[0] = total; }`,
    )
    .join("\n  ")}
}`,
  }));
  gpu.run(shader, [matrix, ...outputs], [rows], [1, 1, 1]);
  return outputs;
}

export function registerStatistics(): void {
  type Logits = { studentLogits: Info; teacherLogits: Info };
  registerGpuKernel<Logits>("PupilDistributionStatistics", (inputs, _, gpu) =>
    statistics(gpu, inputs.studentLogits, inputs.teacherLogits),
  );
  registerGpuKernel<Logits & { rows: Info }>("PupilDistributionSums", (inputs, _, gpu) => {
    const columns = statistics(gpu, inputs.studentLogits, inputs.teacherLogits, inputs.rows);
    const sums = columnScalars(gpu, columns);
    gpu.disposeData(columns.dataId);
    return sums;
  });
}
