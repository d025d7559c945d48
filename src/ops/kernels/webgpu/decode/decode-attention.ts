import type * as tf from "@tensorflow/tfjs-core";
import { decodeLinear } from "./decode-linear.js";
import { program } from "../programs/program.js";
import { laneMax, laneSum } from "../programs/reductions.js";
import type { GpuTensors } from "../programs/registry.js";
import { cosSin } from "../attention/rotary.js";

type Info = tf.TensorInfo;
const lanes = 256;

export interface DecodeAttention {
  /** `[rows, (H + 2 Hkv) · hd]`. */
  readonly projected: Info;
  /** Ids, positions and whether a row goes on, `[3, rows]` int32. */
  readonly state: Info;
  /** `[rows, maskStride]`. */
  readonly mask?: Info | undefined;
  readonly maskStride: number;
  /** Parts of turns per position, three for each pair. */
  readonly turns?: Info | undefined;
  readonly factor: number;
  readonly queryNorm?: Info | undefined;
  readonly keyNorm?: Info | undefined;
  readonly epsilon: number;
  /** `[rows, capacity, Hkv, hd]`; written at the last key. */
  readonly keys: Info;
  readonly values: Info;
  readonly numKeys: number;
  readonly firstKey: number;
  readonly numHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly rows: number;
  /** What is behind it: `residual + attended · weight + bias`, the weight `[H · hd, D]`. */
  readonly output: {
    readonly weight: Info;
    readonly bias?: Info | undefined;
    readonly residual: Info;
  };
}

/** Of all heads together; with wider ones the projection behind them is a call of its own, on more workgroups. */
const widestFused = 512;

/**
 * One query per row against the cache and its own key, which is put there: turned, with the norms of its head; and the
 * projection and residual behind it. A workgroup goes through the keys in pieces of as many as it has threads. Where all
 * heads are narrow together it has a row, else a row and a head.
 *
 * @returns `[rows, D]`
 */
export function decodeAttention(gpu: GpuTensors, call: DecodeAttention): Info {
  const { numHeads, headDim, rows, output, epsilon } = call;
  const { weight, bias, residual } = output;
  const all = [call.projected, call.state, call.mask, call.turns, call.queryNorm, call.keyNorm];
  const arrays = [...all, weight, bias, residual, call.keys, call.values, residual].filter(Boolean);
  const isFused = numHeads * headDim <= widestFused && arrays.length <= gpu.mostArrays;
  if (isFused) return attend(gpu, call, true);
  const x = attend(gpu, call, false);
  const columns = residual.shape.at(-1) as number;
  const y = decodeLinear(gpu, { x, rows, epsilon, weight, bias, residual, columns });
  gpu.disposeData(x.dataId);
  return y;
}

function attend(gpu: GpuTensors, call: DecodeAttention, isFused: boolean): Info {
  const { projected, state, mask, turns, queryNorm, keyNorm, keys, values, rows } = call;
  const { numHeads, numKeyValueHeads, headDim, numKeys, firstKey } = call;
  const { weight, bias, residual } = call.output;
  const columns = residual.shape.at(-1) as number;
  const out = gpu.newTensor([rows, isFused ? columns : numHeads * headDim]);
  const has = {
    ...{ mask, turns, query_norm: queryNorm, key_norm: keyNorm },
    ...(isFused && { out_weight: weight, out_bias: bias, residual }),
  };
  const present = Object.entries(has).filter(([, tensor]) => tensor !== undefined);
  const ofHeads = isFused ? numHeads * headDim : headDim;
  const names = present.map(([name]) => name);
  const shader = program(`decode attention ${headDim} ${ofHeads} ${names.join()}`, () => ({
    params: [
      ...["rows: u32", "heads: u32", "key_heads: u32", "capacity: u32", "keys: u32", "first: u32"],
      ...["mask_stride: u32", "columns: u32", "scale: f32", "epsilon: f32", "factor: f32"],
    ],
    reads: ["projected: f32", "state: i32", ...present.map(([name]) => `${name}: f32`)],
    writes: ["cached_keys: f32", "cached_values: f32", "y: f32"],
    code: source(headDim, ofHeads, new Set(names)),
  }));
  const capacity = keys.shape[1] as number;
  const params = [
    ...[rows, numHeads, numKeyValueHeads, capacity, numKeys, firstKey, call.maskStride, columns],
    ...[1 / Math.sqrt(headDim), call.epsilon, call.factor],
  ];
  const tensors = [projected, state, ...present.map(([, tensor]) => tensor as Info)];
  gpu.run(shader, [...tensors, keys, values, out], params, [isFused ? 1 : numHeads, rows, 1]);
  return out;
}

/** @param ofHeads width of what a workgroup computes: of one head, or of all */
function source(headDim: number, ofHeads: number, has: ReadonlySet<string>): string {
  const splits = Math.floor(lanes / headDim);
  if (splits < 1) throw new Error(`Heads of ${headDim} are wider than ${lanes}.`);
  const half = headDim / 2;
  /** Takes a head of the projection into workgroup memory, with its norm, turned. */
  const take = (target: string, at: string, norm: string) => `
  value = 0.0;
  if (lane < ${headDim}u) { value = projected[${at} + lane]; }
  ${
    has.has(norm)
      ? `{ let total = reduce_sum(value * value, lane);
  if (lane < ${headDim}u) { value = value * inverseSqrt(total / ${headDim}.0 + p.epsilon) * ${norm}[lane]; } }`
      : ""
  }
  if (lane < ${headDim}u) { ${target}[lane] = value; }
  workgroupBarrier();
  ${
    has.has("turns")
      ? `if (lane < ${half}u) { value = ${target}[lane] * c - ${target}[lane + ${half}u] * s; }
  else if (lane < ${headDim}u) { value = ${target}[lane] * c + ${target}[lane - ${half}u] * s; }
  workgroupBarrier();
  if (lane < ${headDim}u) { ${target}[lane] = value; }
  workgroupBarrier();`
      : ""
  }`;
  return `${cosSin}${laneSum(lanes)}${laneMax(lanes)}
var<workgroup> query: array<f32, ${headDim}>;
var<workgroup> own_key: array<f32, ${headDim}>;
var<workgroup> own_value: array<f32, ${headDim}>;
var<workgroup> heads: array<f32, ${ofHeads}>;
var<workgroup> weights: array<f32, ${lanes}>;
var<workgroup> parts: array<f32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = g.y;
  let group = p.heads / p.key_heads;
  let start = row * (p.heads + 2u * p.key_heads) * ${headDim}u;
  var value = 0.0;
  ${
    has.has("turns")
      ? `let pair = 3u * (lane % ${half}u);
  let position = f32(state[p.rows + row]);
  let all = fract(position * turns[pair]) + fract(position * turns[pair + 1u]) + position * turns[pair + 2u];
  let turned = cos_sin(all) * p.factor;
  let c = turned.x;
  let s = turned.y;`
      : ""
  }
  for (var h = 0u; h < ${ofHeads / headDim}u; h = h + 1u) {
  let head = g.x + h;
  let key_head = head / group;
  ${take("query", `start + head * ${headDim}u`, "query_norm")}
  ${take("own_key", `start + (p.heads + key_head) * ${headDim}u`, "key_norm")}
  let last = p.keys - 1u;
  let own_at = ((row * p.capacity + last) * p.key_heads + key_head) * ${headDim}u;
  if (lane < ${headDim}u) {
    own_value[lane] = projected[start + (p.heads + p.key_heads + key_head) * ${headDim}u + lane];
    // One head of each group writes; the others have their own copy.
    if (head % group == 0u) {
      cached_keys[own_at + lane] = own_key[lane];
      cached_values[own_at + lane] = own_value[lane];
    }
  }
  workgroupBarrier();
  let d = lane % ${headDim}u;
  let split = lane / ${headDim}u;
  var most = -3.0e38;
  var weight = 0.0;
  var sum = 0.0;
  for (var s0 = p.first; s0 < p.keys; s0 = s0 + ${lanes}u) {
    let key = s0 + lane;
    var score = -3.0e38;
    if (key < p.keys${has.has("mask") ? " && mask[row * p.mask_stride + key] != 0.0" : ""}) {
      score = 0.0;
      if (key == last) {
        for (var i = 0u; i < ${headDim}u; i = i + 1u) { score = fma(query[i], own_key[i], score); }
      } else {
        let at = ((row * p.capacity + key) * p.key_heads + key_head) * ${headDim}u;
        for (var i = 0u; i < ${headDim}u; i = i + 1u) { score = fma(query[i], cached_keys[at + i], score); }
      }
      score = score * p.scale;
    }
    let largest = max(most, reduce_max(score, lane));
    let shrink = exp(most - largest);
    most = largest;
    let w = select(0.0, exp(score - largest), score > -3.0e38);
    weights[lane] = w;
    weight = weight * shrink + reduce_sum(w, lane);
    sum = sum * shrink;
    if (split < ${splits}u) {
      for (var k = split; k < min(${lanes}u, p.keys - s0); k = k + ${splits}u) {
        if (s0 + k == last) { sum = fma(weights[k], own_value[d], sum); }
        else {
          let at = ((row * p.capacity + s0 + k) * p.key_heads + key_head) * ${headDim}u;
          sum = fma(weights[k], cached_values[at + d], sum);
        }
      }
    }
    workgroupBarrier();
  }
  parts[lane] = sum;
  workgroupBarrier();
  if (lane < ${headDim}u) {
    var total = 0.0;
    for (var i = 0u; i < ${splits}u; i = i + 1u) { total = total + parts[i * ${headDim}u + lane]; }
    heads[h * ${headDim}u + lane] = select(0.0, total / weight, weight > 0.0);
  }
  workgroupBarrier();
  }
  ${
    has.has("out_weight")
      ? `for (var col = lane; col < p.columns; col = col + ${lanes}u) {
    var total = residual[row * p.columns + col]${has.has("out_bias") ? " + out_bias[col]" : ""};
    for (var i = 0u; i < ${ofHeads}u; i = i + 1u) { total = fma(heads[i], out_weight[i * p.columns + col], total); }
    y[row * p.columns + col] = total;
  }`
      : `if (lane < ${headDim}u) { y[(row * p.heads + g.x) * ${headDim}u + lane] = heads[lane]; }`
  }
}`;
}
