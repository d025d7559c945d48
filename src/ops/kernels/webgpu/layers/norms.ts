import type * as tf from "@tensorflow/tfjs-core";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { laneSum, rowLanes } from "../programs/reductions.js";
import { type GpuTensors, registerGpuKernel, rowsOf } from "../programs/registry.js";

type Info = tf.TensorInfo;
interface Affine {
  readonly weight: Info;
  /** With it the norm is a layer norm, without it an RMS norm. */
  readonly bias?: Info | undefined;
}
/** What a norm saves for its gradient, each a number per row. */
interface Statistics {
  readonly mean?: Info | undefined;
  readonly scale: Info;
}

/** The sum over a row of what an expression gives for its column. */
const overRow = (value: string) =>
  `{ sum = 0.0; for (var i = lane; i < p.width; i = i + ${rowLanes}u) { sum = sum + ${value}; } }`;

/** A norm of rows, a workgroup for each. */
export function normForward(
  gpu: GpuTensors,
  x: Info,
  { weight, bias }: Affine,
  epsilon: number,
): { y: Info } & Statistics {
  const { rows, width } = rowsOf(x);
  const ofRows = [...x.shape.slice(0, -1), 1];
  const y = gpu.newTensor(x.shape);
  const mean = bias && gpu.newTensor(ofRows);
  const scale = gpu.newTensor(ofRows);
  const shader = program(bias ? "layer norm" : "rms norm", () => ({
    params: ["rows: u32", "width: u32", "epsilon: f32"],
    reads: ["x: f32", "weight: f32", ...(bias ? ["bias: f32"] : [])],
    writes: ["y: f32", ...(bias ? ["mean: f32"] : []), "scale: f32"],
    code: `${laneSum()}
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let start = row * p.width;
  var sum = 0.0;
  var centre = 0.0;
  ${bias ? `${overRow("x[start + i]")} centre = reduce_sum(sum, lane) / f32(p.width);` : ""}
  ${overRow("(x[start + i] - centre) * (x[start + i] - centre)")}
  let s = inverseSqrt(reduce_sum(sum, lane) / f32(p.width) + p.epsilon);
  for (var i = lane; i < p.width; i = i + ${rowLanes}u) {
    y[start + i] = (x[start + i] - centre) * s * weight[i]${bias ? " + bias[i]" : ""};
  }
  if (lane == 0u) { scale[row] = s; ${bias ? "mean[row] = centre;" : ""} }
}`,
  }));
  const reads = [x, weight, ...(bias ? [bias] : [])];
  const tensors = [...reads, y, ...(mean ? [mean] : []), scale];
  gpu.run(shader, tensors, [rows, width, epsilon], groupsFor(rows));
  return { y, mean, scale };
}

/** Columns and strips of rows of a workgroup that adds up the parameters' gradients. */
const [columns, strips] = [16, 4];

/**
 * Gradients of x, plus those that come past the norm (`residual`), and of the parameters. The first workgroups take a
 * row each, the others some columns of all rows.
 */
export function normBackward(
  gpu: GpuTensors,
  given: { readonly dy: Info; readonly x: Info; readonly residual?: Info | undefined },
  weight: Info,
  { mean, scale }: Statistics,
): { dx: Info; dweight: Info; dbias?: Info | undefined } {
  const { dy, x, residual } = given;
  const { rows, width } = rowsOf(x);
  const dx = gpu.newTensor(x.shape);
  const [dweight, dbias] = gpu.newTensors(mean ? [[width], [width]] : [[width]]) as [Info, Info?];
  const name = `${mean ? "layer" : "rms"} norm gradient${residual ? ", residual" : ""}`;
  const normed = (row: string, at: string) =>
    `(x[${at}]${mean ? ` - mean[${row}]` : ""}) * scale[${row}]`;
  const shader = program(name, () => ({
    params: ["rows: u32", "width: u32"],
    reads: [
      ...["dy: f32", "x: f32", "weight: f32", ...(mean ? ["mean: f32"] : []), "scale: f32"],
      ...(residual ? ["residual: f32"] : []),
    ],
    writes: ["dx: f32", "dweight: f32", ...(mean ? ["dbias: f32"] : [])],
    code: `${laneSum()}
var<workgroup> strip_weight: array<f32, ${columns * strips}>;
var<workgroup> strip_bias: array<f32, ${columns * strips}>;
fn of_row(row: u32, lane: u32) {
  let start = row * p.width;
  var sum = 0.0;
  ${overRow(`dy[start + i] * weight[i] * ${normed("row", "start + i")}`)}
  let along = reduce_sum(sum, lane) / f32(p.width);
  var centre = 0.0;
  ${mean ? `${overRow("dy[start + i] * weight[i]")} centre = reduce_sum(sum, lane) / f32(p.width);` : ""}
  for (var i = lane; i < p.width; i = i + ${rowLanes}u) {
    let g = dy[start + i] * weight[i] - centre - ${normed("row", "start + i")} * along;
    dx[start + i] = g * scale[row]${residual ? " + residual[start + i]" : ""};
  }
}
fn of_columns(first: u32, lane: u32) {
  let column = first + lane % ${columns}u;
  var of_weight = 0.0;
  var of_bias = 0.0;
  if (column < p.width) {
    for (var row = lane / ${columns}u; row < p.rows; row = row + ${strips}u) {
      let d = dy[row * p.width + column];
      of_weight = of_weight + d * ${normed("row", "row * p.width + column")};
      of_bias = of_bias + d;
    }
  }
  strip_weight[lane] = of_weight;
  strip_bias[lane] = of_bias;
  workgroupBarrier();
  if (lane < ${columns}u && column < p.width) {
    for (var i = 1u; i < ${strips}u; i = i + 1u) {
      of_weight = of_weight + strip_weight[i * ${columns}u + lane];
      of_bias = of_bias + strip_bias[i * ${columns}u + lane];
    }
    dweight[column] = of_weight;
    ${mean ? "dbias[column] = of_bias;" : ""}
  }
}
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let group = ${groupIndex};
  if (group < p.rows) { of_row(group, lane); }
  else { of_columns((group - p.rows) * ${columns}u, lane); }
}`,
  }));
  const reads = [dy, x, weight, ...(mean ? [mean] : []), scale, ...(residual ? [residual] : [])];
  const tensors = [...reads, dx, dweight, ...(dbias ? [dbias] : [])];
  gpu.run(shader, tensors, [rows, width], groupsFor(rows + Math.ceil(width / columns)));
  return { dx, dweight, dbias };
}

export function registerNorms(): void {
  registerGpuKernel<{ x: Info; weight: Info }, { epsilon: number }>(
    "PupilRmsNorm",
    ({ x, weight }, { epsilon }, gpu) => {
      const { y, scale } = normForward(gpu, x, { weight }, epsilon);
      return [y, scale];
    },
  );
  registerGpuKernel<{ dy: Info; x: Info; weight: Info; scale: Info }>(
    "PupilRmsNormGrad",
    ({ weight, scale, ...given }, _, gpu) => {
      const { dx, dweight } = normBackward(gpu, given, weight, { scale });
      return [dx, dweight];
    },
  );
  registerGpuKernel<{ x: Info; weight: Info; bias: Info }, { epsilon: number }>(
    "PupilLayerNorm",
    ({ x, weight, bias }, { epsilon }, gpu) => {
      const { y, mean, scale } = normForward(gpu, x, { weight, bias }, epsilon);
      return [y, mean as Info, scale];
    },
  );
  registerGpuKernel<{ dy: Info; x: Info; weight: Info; mean: Info; scale: Info }>(
    "PupilLayerNormGrad",
    ({ weight, mean, scale, ...given }, _, gpu) => {
      const { dx, dweight, dbias } = normBackward(gpu, given, weight, { mean, scale });
      return [dx, dweight, dbias as Info];
    },
  );
}
