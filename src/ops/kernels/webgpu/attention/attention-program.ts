import type * as tf from "@tensorflow/tfjs-core";
import { type GpuProgram, program } from "../programs/program.js";

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
  /** Queries and keys, of which there are equally many, are turned by these angles first. */
  readonly tables?: Tables | undefined;
}

/** Cosines and sines, `[B, T, hd/2]`. */
export interface Tables {
  readonly cos: Info;
  readonly sin: Info;
}

/** Whether heads of this width are turned where they are read: their halves must be whole vectors. */
export const turnsHeads = (headDim: number): boolean => headDim % 8 === 0;

export function shapeOf({ query, key }: Heads): AttentionShape {
  const [B, T, H, width] = query.shape as [number, number, number, number];
  return { B, T, S: key.shape[1] as number, H, keyHeads: key.shape[2] as number, width };
}

/** What comes after queries, keys and values: in the order of {@link optionalReads}. */
export const optionalTensors = ({ keyMask, firstKeys, tables }: Bounds & Pick<Heads, "tables">) => [
  ...(keyMask ? [keyMask] : []),
  ...(firstKeys ? [firstKeys] : []),
  ...(tables ? [tables.cos, tables.sin] : []),
];

export const paramsOf = ({ T, S, H, keyHeads }: AttentionShape, scale: number): number[] => [
  ...[T, S, H, keyHeads, scale],
];

/** Threads of a workgroup: each has a query, or a key. */
export const threads = 64;
/** Bytes of workgroup memory for the two tiles: what every adapter has. */
const tileBytes = 16384 - 1024;

/** Masks and tables as arrays of a shader; masks may be of any type. */
export function optionalReads({ keyMask, firstKeys, tables }: Bounds & Pick<Heads, "tables">) {
  const type = keyMask?.dtype === "float32" ? "f32" : "i32";
  return [
    ...(keyMask ? [`key_mask: ${type}`] : []),
    ...(firstKeys ? ["first_keys: i32"] : []),
    ...(tables ? ["cosines: f32", "sines: f32"] : []),
  ];
}

/** Ways to write parts of a shader over heads. */
export interface HeadCode {
  /** The number at a word of an array. */
  one(array: string, at: string): string;
  /** Vector `i` of the head at `at`. */
  load(array: string, at: string): string;
  /** The same of a query or key, turned; `row` is its number among `[B, T]`. */
  loadTurned(array: string, at: string, row: string): string;
  /** Statements that turn a head in registers, or back. */
  turn(registers: string, row: string, inverse?: "inverse"): string;
}

interface AttentionParts {
  readonly width: number;
  /** Arrays of heads, and those that lie in one buffer with such. */
  readonly heads: readonly string[];
  /** Other arrays that are read: masks and tables. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly body: (code: HeadCode) => string;
  readonly functions?: (code: HeadCode) => string;
}

/** A shader over heads that loads four numbers at a time, where heads have whole vectors; else, and in its place, one. */
export function attentionShader(name: string, parts: AttentionParts): GpuProgram {
  const otherwise = program(name, () => attentionProgram(parts, false));
  if (parts.width % 4 !== 0) return otherwise;
  return program(`${name} by fours`, () => ({ ...attentionProgram(parts, true), otherwise }));
}

/**
 * A shader over heads of `width` numbers in `Q` vectors of four, the last one filled up with zeros, with two tiles of `K`
 * rows in workgroup memory.
 */
function attentionProgram(
  { width, heads, reads, writes, body, functions = () => "" }: AttentionParts,
  byFours: boolean,
): Omit<GpuProgram, "name"> {
  const vectors = Math.ceil(width / 4);
  const rows = Math.max(1, Math.min(32, Math.floor(tileBytes / (2 * 16 * vectors))));
  const has = (name: string) => reads.some((declared) => declared.startsWith(`${name}:`));
  const code = headCode(width, has("cosines"), byFours);
  const type = byFours ? "vec4<f32>" : "f32";
  return {
    params: ["queries: u32", "keys: u32", "heads: u32", "key_heads: u32", "scale: f32"],
    ...{ reads: [...heads.map((name) => `${name}: ${type}`), ...reads], writes },
    code: `
const width = ${width}u;
const Q = ${vectors}u;
const H = ${Math.floor(vectors / 2)}u;
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
${
  has("cosines")
    ? `fn cosine(row: u32, i: u32) -> vec4f { let at = (row * H + i) * 4u; return ${four("cosines", "at")}; }
fn sine(row: u32, i: u32) -> vec4f { let at = (row * H + i) * 4u; return ${four("sines", "at")}; }`
    : ""
}
${functions(code)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) lane: u32) {
${body(code)}
}`,
  };
}

const four = (array: string, at: string) =>
  `vec4f(${[0, 1, 2, 3].map((c) => `${array}[${at} + ${c}u]`).join(", ")})`;

function headCode(width: number, isTurned: boolean, byFours: boolean): HeadCode {
  const component = (array: string, at: string, i: string, c: number) =>
    width % 4 === 0
      ? `${array}[${at} + 4u * ${i} + ${c}u]`
      : `select(0.0, ${array}[min(${at} + 4u * ${i} + ${c}u, ${at} + width - 1u)], 4u * ${i} + ${c}u < width)`;
  const loadAt = (array: string, at: string, i: string) =>
    byFours
      ? `${array}[(${at}) / 4u + ${i}]`
      : `vec4f(${[0, 1, 2, 3].map((c) => component(array, at, i, c)).join(", ")})`;
  const load = (array: string, at: string) => loadAt(array, at, "i");
  return {
    one: (array, at) => (byFours ? `${array}[(${at}) / 4u][(${at}) % 4u]` : `${array}[${at}]`),
    load,
    loadTurned: (array, at, row) =>
      isTurned
        ? `(${load(array, at)} * cosine(${row}, i % H) + select(-1.0, 1.0, i >= H) * ${loadAt(array, at, "((i + H) % Q)")} * sine(${row}, i % H))`
        : load(array, at),
    turn: (registers, row, inverse) =>
      isTurned
        ? `for (var i = 0u; i < H; i = i + 1u) {
      let of_cosine = cosine(${row}, i);
      let of_sine = sine(${row}, i)${inverse ? " * -1.0" : ""};
      let first_half = ${registers}[i];
      let second_half = ${registers}[i + H];
      ${registers}[i] = first_half * of_cosine - second_half * of_sine;
      ${registers}[i + H] = second_half * of_cosine + first_half * of_sine;
    }`
        : "",
  };
}

/** WGSL: writes a vector of a head, as far as the head goes. */
export function store(array: string, at: string, value: string): string {
  return `for (var c = 0u; c < 4u; c = c + 1u) {
        if (4u * i + c < width) { ${array}[${at} + 4u * i + c] = ${value}[c]; }
      }`;
}
