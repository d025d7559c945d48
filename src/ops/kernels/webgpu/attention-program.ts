import type * as tf from "@tensorflow/tfjs-core";
import type { GpuProgram } from "./program.js";

type Info = tf.TensorInfo;

export interface AttentionShape {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly H: number;
  readonly keyHeads: number;
  /** Of a head. */
  readonly width: number;
}

/** Which keys a query sees, see `causalAttention`. */
export interface Bounds {
  readonly keyMask?: Info | undefined;
  readonly firstKeys?: Info | undefined;
}

export interface Heads extends Bounds {
  /** `[B, T, H, hd]`. */
  readonly query: Info;
  /** `[B, S, Hkv, hd]`. */
  readonly key: Info;
  readonly value: Info;
}

export function shapeOf({ query, key }: Heads): AttentionShape {
  const [B, T, H, width] = query.shape as [number, number, number, number];
  return { B, T, S: key.shape[1] as number, H, keyHeads: key.shape[2] as number, width };
}

export const boundTensors = ({ keyMask, firstKeys }: Bounds): Info[] => [
  ...(keyMask ? [keyMask] : []),
  ...(firstKeys ? [firstKeys] : []),
];

export const paramsOf = ({ T, S, H, keyHeads }: AttentionShape, scale: number): number[] => [
  ...[T, S, H, keyHeads, scale],
];

/** Threads of a workgroup: each has a query, or a key. */
export const threads = 64;
/** Bytes of workgroup memory for the two tiles: what every adapter has. */
const tileBytes = 16384 - 1024;

/** Masks as arrays of a shader; masks may be of any type. */
export function maskReads(bounds: Bounds): string[] {
  const type = bounds.keyMask?.dtype === "float32" ? "f32" : "i32";
  return [
    ...(bounds.keyMask ? [`key_mask: ${type}`] : []),
    ...(bounds.firstKeys ? ["first_keys: i32"] : []),
  ];
}

/**
 * A shader over heads of `width` numbers in `Q` vectors of four, the last one filled up with zeros, with two tiles of `K`
 * rows in workgroup memory. The body gets a way to write "vector `i` of the head at `at`".
 */
export function attentionProgram({
  width,
  reads,
  writes,
  body,
}: {
  readonly width: number;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly body: (load: (array: string, at: string) => string) => string;
}): Omit<GpuProgram, "name"> {
  const vectors = Math.ceil(width / 4);
  const rows = Math.max(1, Math.min(32, Math.floor(tileBytes / (2 * 16 * vectors))));
  const has = (name: string) => reads.some((declared) => declared.startsWith(`${name}:`));
  const component = (array: string, at: string, c: number) =>
    width % 4 === 0
      ? `${array}[${at} + 4u * i + ${c}u]`
      : `select(0.0, ${array}[min(${at} + 4u * i + ${c}u, ${at} + width - 1u)], 4u * i + ${c}u < width)`;
  const load = (array: string, at: string) =>
    `vec4f(${[0, 1, 2, 3].map((c) => component(array, at, c)).join(", ")})`;
  return {
    params: ["queries: u32", "keys: u32", "heads: u32", "key_heads: u32", "scale: f32"],
    ...{ reads, writes },
    code: `
const width = ${width}u;
const Q = ${vectors}u;
const K = ${rows}u;
var<workgroup> tile_a: array<vec4f, ${rows * vectors}>;
var<workgroup> tile_b: array<vec4f, ${rows * vectors}>;
var<workgroup> row_a: array<f32, ${rows}>;
var<workgroup> row_b: array<f32, ${rows}>;
var<workgroup> row_first: array<i32, ${rows}>;
fn is_shown(batch: u32, s: u32) -> bool {
  ${has("key_mask") ? "return key_mask[batch * p.keys + s] != 0;" : "return true;"}
}
fn first_key(batch: u32, t: u32, is_real: bool) -> i32 {
  ${has("first_keys") ? "if (is_real) { return first_keys[batch * p.queries + t]; }" : ""}
  return 0;
}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) lane: u32) {
${body(load)}
}`,
  };
}

/** WGSL: writes a vector of a head, as far as the head goes. */
export function store(array: string, at: string, value: string): string {
  return `for (var c = 0u; c < 4u; c = c + 1u) {
        if (4u * i + c < width) { ${array}[${at} + 4u * i + c] = ${value}[c]; }
      }`;
}
