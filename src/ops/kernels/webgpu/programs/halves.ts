import type * as tf from "@tensorflow/tfjs-core";
import { groupsOfEntries, perEntry } from "./entries.js";
import { isIndexedOnly, rewriteIndexing } from "./indexing.js";
import { type GpuProgram, groupIndex, groupsFor, program, rowArguments } from "./program.js";
import { type GpuTensors, sizeOf } from "./registry.js";

type Info = tf.TensorInfo;
const lanes = 256;

const known = new WeakMap<GpuProgram, Map<string, GpuProgram>>();

/** By type of an array's entries: WGSL for the entry `i` of an array of words, each of two numbers. */
const readings: Readonly<Record<string, (words: string) => string>> = {
  f32: (words) => `unpack2x16float(${words}[i >> 1u] >> ((i & 1u) << 4u)).x`,
  "vec4<f32>": (words) =>
    `vec4f(unpack2x16float(${words}[2u * i]), unpack2x16float(${words}[2u * i + 1u]))`,
};

const nameAndType = (declared: string | undefined) => declared?.split(": ") as [string, string];

/** Whether {@link readingHalves} can be had for an array of a program: the entries of its `at`-th are read one by one. */
export function canReadHalves({ reads, code }: GpuProgram, at: number): boolean {
  const [name, type] = nameAndType(reads[at]);
  return readings[type] !== undefined && isIndexedOnly(code, name);
}

/**
 * The same program where some of the arrays that it reads hold binary16, two numbers to a word: it computes with what they are in
 * f32. Every adapter can, so that no kernel has a second version.
 *
 * @param halves numbers of those arrays among `reads`
 */
export function readingHalves(given: GpuProgram, halves: readonly number[]): GpuProgram {
  if (halves.length === 0) return given;
  const variants = known.get(given) ?? new Map<string, GpuProgram>();
  known.set(given, variants);
  const pattern = halves.join();
  const variant = variants.get(pattern) ?? rewrite(given, halves, pattern);
  variants.set(pattern, variant);
  return variant;
}

function rewrite(given: GpuProgram, halves: readonly number[], pattern: string): GpuProgram {
  const arrays = halves.map((at) => nameAndType(given.reads[at]));
  const functions = arrays.map(
    ([name, type]) =>
      `fn entry_of_${name}(i: u32) -> ${type} { return ${readings[type]?.(name)}; }\n`,
  );
  const names = arrays.map(([name]) => name);
  const code = rewriteIndexing(given.code, names, (name, i) => `entry_of_${name}(u32(${i}))`);
  return {
    name: `${given.name}, halves ${pattern}`,
    params: given.params,
    reads: given.reads.map((declared, at) =>
      halves.includes(at) ? `${nameAndType(declared)[0]}: u32` : declared,
    ),
    writes: given.writes,
    code: functions.join("") + code,
    ...(given.otherwise && { otherwise: readingHalves(given.otherwise, halves) }),
  };
}

/**
 * WGSL: the bits of the binary16 that is nearest to an f32, ties to even, from its bits. WGSL leaves to the device how its own
 * conversion rounds.
 */
const halfBits = `fn half_bits(word: u32) -> u32 {
  let sign = (word >> 16u) & 0x8000u;
  let magnitude = word & 0x7fffffffu;
  if (magnitude >= 0x47800000u) { return sign | select(0x7c00u, 0x7e00u, magnitude > 0x7f800000u); }
  if (magnitude >= 0x38800000u) {
    return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u);
  }
  // Below 2^-14 it is a multiple of 2^-24.
  let shift = min(126u - (magnitude >> 23u), 31u);
  let digits = (magnitude & 0x7fffffu) | 0x800000u;
  let below = digits >> shift;
  let rest = digits & ((1u << shift) - 1u);
  let middle = 1u << (shift - 1u);
  return sign | (below + u32(rest > middle || (rest == middle && (below & 1u) == 1u)));
}`;

/** Numbers that a shader may use at a time, so many that parts of them begin where a view may. */
function* partsOf({ mostBytes }: GpuTensors, size: number) {
  const most = 128 * Math.max(1, Math.floor(mostBytes / 4 / 128));
  for (let start = 0; start < size; start += most) {
    yield { start, count: Math.min(most, size - start) };
  }
}

/** Where the largest magnitude of a tensor goes: its bits, into an entry of an int32 tensor unless there is a larger one. */
export interface Largest {
  readonly into: Info;
  readonly at: number;
}

/** Numbers as binary16, rounded to the nearest, ties to even: two in each word of an int32 tensor. */
export function narrowed(gpu: GpuTensors, tensor: Info, largest?: Largest): Info {
  const size = sizeOf(tensor.shape);
  const words = gpu.newTensor([Math.ceil(size / 2)], "int32");
  const shader = program(largest ? "narrow and measure" : "narrow", () => ({
    params: ["size: u32", "at: u32"],
    reads: ["x: u32"],
    writes: ["words: u32", ...(largest ? ["largest: atomic<u32>"] : [])],
    code: `${halfBits}
${largest ? "var<workgroup> of_group: atomic<u32>;" : ""}
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let i = ${groupIndex} * ${lanes}u + lane;
  let low = select(0u, x[min(2u * i, p.size - 1u)], 2u * i < p.size);
  let high = select(0u, x[min(2u * i + 1u, p.size - 1u)], 2u * i + 1u < p.size);
  if (2u * i < p.size) { words[i] = half_bits(low) | (half_bits(high) << 16u); }
  ${
    largest
      ? `atomicMax(&of_group, max(low & 0x7fffffffu, high & 0x7fffffffu));
  workgroupBarrier();
  if (lane == 0u) { atomicMax(&largest[p.at], atomicLoad(&of_group)); }`
      : ""
  }
}`,
  }));
  inParts(gpu, tensor, words, (from, to, count) => {
    const tensors = [from, to, ...(largest ? [largest.into] : [])];
    const groups = groupsFor(Math.ceil(count / 2 / lanes));
    gpu.run(shader, tensors, [count, largest?.at ?? 0], groups);
  });
  return words;
}

/** The numbers of a tensor of halves, as they are, in f32: a new tensor. */
export function widened(gpu: GpuTensors, tensor: Info): Info {
  const out = gpu.newTensor(tensor.shape);
  const shader = program("widen", () => ({
    ...{ params: ["size: u32"], reads: ["x: f32"], writes: ["y: f32"] },
    code: perEntry("y[i] = x[i];"),
  }));
  inParts(gpu, tensor, out, (from, to, count) =>
    gpu.run(shader, [from, to], [count], groupsOfEntries(count)),
  );
  return out;
}

/** Goes through two tensors of the same numbers, of which the second may hold two in a word. */
function inParts(
  gpu: GpuTensors,
  from: Info,
  to: Info,
  run: (from: Info, to: Info, count: number) => void,
): void {
  const size = sizeOf(from.shape);
  const perWord = sizeOf(to.shape) < size ? 2 : 1;
  for (const { start, count } of partsOf(gpu, size)) {
    if (count === size) return run(from, to, size);
    const part = gpu.view(from, start, count);
    const target = gpu.view(to, start / perWord, Math.ceil(count / perWord));
    run(part, target, count);
    gpu.disposeData(part.dataId);
    gpu.disposeData(target.dataId);
  }
}
