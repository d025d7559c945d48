import type * as tf from "@tensorflow/tfjs-core";
import type { SamplingSettings } from "../../../sampling/sample-tokens.js";
import { program } from "../programs/program.js";
import { laneMax, laneMin, laneSum } from "../programs/reductions.js";
import { type GpuTensors, registerGpuKernel } from "../programs/registry.js";

type Info = tf.TensorInfo;
const lanes = 256;

/** What goes on after a token, where several are sampled in a row. */
export interface SampleState {
  /** Ids, positions and whether a row goes on, `[3, rows]` int32; changed. */
  readonly state: Info;
  /** `[rows, maskStride]`, written at `column`; unless that is the last token. */
  readonly mask: Info;
  readonly maskStride: number;
  readonly column: number;
  /** `[ends]` int32, at least one number. */
  readonly endIds: Info;
  readonly numEnds: number;
  readonly padId: number;
}

/**
 * Ids and log-probabilities of next tokens, `[2, rows]`, into `out` from word `at` on: a workgroup for each row. Which words are
 * kept is found by going through the bits of the lowest kept logit, so nothing is sorted.
 */
export function sampleRows(
  gpu: GpuTensors,
  {
    logits,
    uniforms,
    uniformsAt = 0,
  }: { logits: Info; uniforms?: Info | undefined; uniformsAt?: number },
  { greedy, samplingTemperature, topK, topP }: SamplingSettings,
  target: { readonly out: Info; readonly at: number },
  next?: SampleState,
): void {
  const rows = logits.shape[0] as number;
  const vocabulary = logits.shape.at(-1) as number;
  const isGreedy = greedy || uniforms === undefined;
  const limited = !isGreedy && topK > 0 && topK < vocabulary;
  const nucleus = !isGreedy && topP < 1;
  const name = `sample ${isGreedy ? "greedy" : ""} ${limited ? "k" : ""} ${nucleus ? "p" : ""} ${next ? "next" : ""}`;
  const shader = program(name, () => ({
    params: [
      ...["rows: u32", "width: u32", "at: u32", "uniforms_at: u32", "temperature: f32"],
      ...["top_k: f32", "top_p: f32", "mask_stride: u32", "column: u32", "ends: u32", "pad: i32"],
    ],
    reads: [
      "logits: f32",
      ...(isGreedy ? [] : ["uniforms: f32"]),
      ...(next ? ["end_ids: i32"] : []),
    ],
    writes: ["sampled: f32", ...(next ? ["state: i32", "mask: f32"] : [])],
    code: source({ isGreedy, limited, nucleus, goesOn: next !== undefined }),
  }));
  const tensors = [
    ...[logits, ...(isGreedy ? [] : [uniforms]), ...(next ? [next.endIds] : []), target.out],
    ...(next ? [next.state, next.mask] : []),
  ];
  const params = [
    ...[rows, vocabulary, target.at, uniformsAt, samplingTemperature, limited ? topK : vocabulary],
    ...[topP, next?.maskStride ?? 0, next?.column ?? 0, next?.numEnds ?? 0, next?.padId ?? 0],
  ];
  gpu.run(shader, tensors as Info[], params, [rows, 1, 1]);
}

interface Kinds {
  readonly isGreedy: boolean;
  readonly limited: boolean;
  readonly nucleus: boolean;
  readonly goesOn: boolean;
}

/** WGSL: adds what an expression gives for every logit `v` of a row, kept ones alone. */
const overWords = (value: string) => `{
      var add = 0.0;
      for (var i = lane; i < p.width; i = i + ${lanes}u) { let v = logits[start + i] / p.temperature; add = add + ${value}; }
      found = reduce_sum(add, lane);
    }`;

/** The lowest key for which the sum over larger logits is below a bound, bit by bit from the highest. */
const lowestKey = (target: string, value: (key: string) => string, bound: string) => `
  ${target} = 0u;
  for (var bit = 0x80000000u; bit > 0u; bit = bit >> 1u) {
    // Every key with this bit 0 and all lower ones 1 is still too low?
    let tried = ${target} | (bit - 1u);
    ${overWords(value("tried"))}
    if (found >= ${bound}) { ${target} = ${target} | bit; }
  }`;

function source({ isGreedy, limited, nucleus, goesOn }: Kinds): string {
  const draw = `
  var lowest = 0u;
  var found = 0.0;
  ${limited ? lowestKey("lowest", (key) => `select(0.0, 1.0, key_of(v) > ${key})`, "p.top_k") : ""}
  ${
    nucleus
      ? `${overWords("select(0.0, 1.0, key_of(v) > lowest)")}
  let above = found;
  ${overWords("select(0.0, exp(v - most / p.temperature), key_of(v) > lowest)")}
  var mass = found;
  ${limited ? "mass = mass + (p.top_k - above) * exp(value_of(lowest) - most / p.temperature);" : ""}
  var kept = 0u;
  ${lowestKey("kept", (key) => `select(0.0, exp(v - most / p.temperature), key_of(v) > max(${key}, lowest))`, "mass * p.top_p")}
  lowest = max(lowest, kept);`
      : ""
  }
  let piece = (p.width + ${lanes - 1}u) / ${lanes}u;
  let first = min(lane * piece, p.width);
  let end = min(first + piece, p.width);
  var own = 0.0;
  for (var i = first; i < end; i = i + 1u) { own = own + mass_of(start + i, most, lowest); }
  pieces[lane] = own;
  workgroupBarrier();
  var before = 0.0;
  var total = 0.0;
  for (var i = 0u; i < ${lanes}u; i = i + 1u) {
    if (i == lane) { before = total; }
    total = total + pieces[i];
  }
  let wanted = uniforms[p.uniforms_at + row] * total;
  var chosen = f32(p.width);
  for (var i = first; i < end; i = i + 1u) {
    let w = mass_of(start + i, most, lowest);
    before = before + w;
    if (w > 0.0 && before > wanted) { chosen = f32(i); break; }
  }
  chosen = reduce_min(chosen, lane);
  if (chosen < f32(p.width)) { id = u32(chosen); }`;
  return `${laneSum(lanes)}${laneMax(lanes)}${laneMin(lanes)}
var<workgroup> pieces: array<f32, ${lanes}>;
fn key_of(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}
fn value_of(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
fn mass_of(i: u32, most: f32, lowest: u32) -> f32 {
  let v = logits[i] / p.temperature;
  return select(0.0, exp(v - most / p.temperature), key_of(v) >= lowest);
}
fn is_finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u; }
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = g.x;
  let start = row * p.width;
  var largest = -3.4e38;
  for (var i = lane; i < p.width; i = i + ${lanes}u) { largest = max(largest, logits[start + i]); }
  let most = reduce_max(largest, lane);
  // The first of the largest; without any (NaN) the last word.
  var likeliest = f32(p.width - 1u);
  var add_total = 0.0;
  for (var i = lane; i < p.width; i = i + ${lanes}u) {
    if (logits[start + i] == most) { likeliest = min(likeliest, f32(i)); }
    add_total = add_total + exp(logits[start + i] - most);
  }
  var id = u32(reduce_min(likeliest, lane));
  let log_total = log(reduce_sum(add_total, lane));
  ${isGreedy ? "" : draw}
  if (lane == 0u) {
    let log_prob = logits[start + id] - most - log_total;
    sampled[p.at + row] = f32(id);
    sampled[p.at + p.rows + row] = log_prob;
    ${
      goesOn
        ? `var open = state[2u * p.rows + row] != 0 && is_finite(log_prob);
    for (var i = 0u; i < p.ends; i = i + 1u) { open = open && end_ids[i] != i32(id); }
    state[row] = select(p.pad, i32(id), open);
    state[p.rows + row] = select(0, state[p.rows + row] + 1, open);
    state[2u * p.rows + row] = select(0, 1, open);
    if (p.column < p.mask_stride) { mask[row * p.mask_stride + p.column] = select(0.0, 1.0, open); }`
        : ""
    }
  }
}`;
}

export function registerSampling(): void {
  registerGpuKernel<{ logits: Info; uniforms?: Info }, SamplingSettings>(
    "PupilSampleTokens",
    ({ logits, uniforms }, settings, gpu) => {
      const out = gpu.newTensor([2, logits.shape[0] as number]);
      sampleRows(gpu, { logits, uniforms }, settings, { out, at: 0 });
      return out;
    },
  );
}
