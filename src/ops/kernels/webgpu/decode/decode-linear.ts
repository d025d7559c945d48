import type * as tf from "@tensorflow/tfjs-core";
import type { MlpActivation } from "../../../layers/residual-mlp.js";
import { activationAt, activationFunctions } from "../layers/activations.js";
import { program } from "../programs/program.js";
import type { GpuTensors } from "../programs/registry.js";

type Info = tf.TensorInfo;

/** Threads across and along the inner axis, rows of a workgroup, and how much of the inner axis is staged at a time. */
const [across, along, tileRows, staged] = [64, 4, 8, 128];
const threads = across * along;

export interface DecodeLinear {
  /** `[rows, inner]`. */
  readonly x: Info;
  readonly rows: number;
  /** A norm of x in front: with a bias a layer norm, without one an RMS norm. */
  readonly norm?: { readonly weight: Info; readonly bias?: Info | undefined } | undefined;
  readonly epsilon: number;
  /** `[inner, columns]`, twice the columns with a gate. */
  readonly weight: Info;
  readonly bias?: Info | undefined;
  readonly residual?: Info;
  readonly activation?: "gated" | MlpActivation;
  readonly columns: number;
}

/**
 * A linear layer for few rows, `[rows, columns]`, with a norm in front, an activation or a residual behind it: a thread has a
 * column, several share its inner axis.
 */
export function decodeLinear(gpu: GpuTensors, call: DecodeLinear): Info {
  const { x, rows, norm, epsilon, weight, bias, residual, activation, columns } = call;
  const inner = x.shape.at(-1) as number;
  const out = gpu.newTensor([rows, columns]);
  const kind = [
    ...[norm ? (norm.bias ? "layer" : "rms") : "", bias ? "bias" : "", residual ? "residual" : ""],
    activation ?? "",
  ];
  const shader = program(`decode linear ${kind.join()}`, () => source(call));
  const reads = [
    ...[x, weight, ...(norm ? [norm.weight] : []), ...(norm?.bias ? [norm.bias] : [])],
    ...[...(bias ? [bias] : []), ...(residual ? [residual] : [])],
  ];
  const groups = [Math.ceil(columns / across), Math.ceil(rows / tileRows), 1] as const;
  gpu.run(shader, [...reads, out], [rows, inner, columns, epsilon], groups);
  return out;
}

function source({ norm, bias, residual, activation }: DecodeLinear) {
  const rows = Array.from({ length: tileRows }, (_, r) => r);
  const parts = activation === "gated" ? ["a", "b"] : ["a"];
  const each = (code: (r: number, part: string, at: number) => string) =>
    rows.flatMap((r) => parts.map((part, at) => code(r, part, at))).join("\n");
  const value = (part: string) =>
    `var ${part} = total_${part}${bias ? ` + bias[col${part === "b" ? " + p.columns" : ""}]` : ""};`;
  const result =
    activation === undefined
      ? "a"
      : activation === "gated"
        ? "a * sigmoid(a) * b"
        : activationAt(activation, "a").value;
  const normed = norm
    ? `(x[(row0 + r) * p.inner + k] - centres[r]) * scales[r] * norm_weight[k]${norm.bias ? " + norm_bias[k]" : ""}`
    : "x[(row0 + r) * p.inner + k]";
  const lanesPerRow = threads / tileRows;
  const sumOfRow = (term: string) => `
    sums[lane] = 0.0;
    if (row0 + mine < p.rows) {
      for (var k = lane % ${lanesPerRow}u; k < p.inner; k = k + ${lanesPerRow}u) {
        let v = x[(row0 + mine) * p.inner + k];
        sums[lane] = sums[lane] + ${term};
      }
    }
    workgroupBarrier();
    total = 0.0;
    for (var i = 0u; i < ${lanesPerRow}u; i = i + 1u) { total = total + sums[mine * ${lanesPerRow}u + i]; }
    workgroupBarrier();`;
  const statistics = `
    let mine = lane / ${lanesPerRow}u;
    var total = 0.0;
    var centre = 0.0;
    ${norm?.bias ? `${sumOfRow("v")} centre = total / f32(p.inner);` : ""}
    ${sumOfRow("(v - centre) * (v - centre)")}
    if (lane % ${lanesPerRow}u == 0u) {
      centres[mine] = centre;
      scales[mine] = inverseSqrt(total / f32(p.inner) + p.epsilon);
    }
    workgroupBarrier();`;
  return {
    params: ["rows: u32", "inner: u32", "columns: u32", "epsilon: f32"],
    reads: [
      ...["x: f32", "weight: f32", ...(norm ? ["norm_weight: f32"] : [])],
      ...(norm?.bias ? ["norm_bias: f32"] : []),
      ...(bias ? ["bias: f32"] : []),
      ...(residual ? ["residual: f32"] : []),
    ],
    writes: ["y: f32"],
    code: `${activationFunctions}
var<workgroup> tile: array<f32, ${tileRows * staged}>;
var<workgroup> sums: array<f32, ${threads}>;
var<workgroup> centres: array<f32, ${tileRows}>;
var<workgroup> scales: array<f32, ${tileRows}>;
@compute @workgroup_size(${across}, ${along})
fn main(
  @builtin(workgroup_id) g: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let col = g.x * ${across}u + local.x;
  let row0 = g.y * ${tileRows}u;
  let stride = p.columns${activation === "gated" ? " * 2u" : ""};
  ${norm ? statistics : ""}
  ${each((r, part) => `var ${part}${r} = 0.0;`)}
  for (var k0 = 0u; k0 < p.inner; k0 = k0 + ${staged}u) {
    for (var e = lane; e < ${tileRows * staged}u; e = e + ${threads}u) {
      let r = e / ${staged}u;
      let k = k0 + e % ${staged}u;
      var v = 0.0;
      if (row0 + r < p.rows && k < p.inner) { v = ${normed}; }
      tile[e] = v;
    }
    workgroupBarrier();
    if (col < p.columns) {
      for (var i = local.y; i < min(${staged}u, p.inner - k0); i = i + ${along}u) {
        ${parts.map((part, at) => `let w${part} = weight[(k0 + i) * stride + col${at ? " + p.columns" : ""}];`).join(" ")}
        ${each((r, part) => `${part}${r} = fma(tile[${r * staged}u + i], w${part}, ${part}${r});`)}
      }
    }
    workgroupBarrier();
  }
  ${rows
    .map(
      (r) => `{
    ${parts
      .map(
        (part) => `sums[lane] = ${part}${r};
    workgroupBarrier();
    let total_${part} = ${Array.from({ length: along }, (_, i) => `sums[local.x + ${i * across}u]`).join(" + ")};
    workgroupBarrier();`,
      )
      .join("\n")}
    if (local.y == 0u && col < p.columns && row0 + ${r}u < p.rows) {
      let at = (row0 + ${r}u) * p.columns + col;
      ${parts.map(value).join(" ")}
      y[at] = ${result}${residual ? " + residual[at]" : ""};
    }
  }`,
    )
    .join("\n")}
}`,
  };
}
