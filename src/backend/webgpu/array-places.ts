import { util } from "@tensorflow/tfjs-core";
import { arrayOf, bytesOfElement, type GpuProgram, mergeArrays } from "../../ops/index.js";

/** Where a tensor lies. */
export interface Place {
  readonly buffer: GPUBuffer;
  /** In bytes. */
  readonly offset: number;
}

/** Words from a multiple of which on a binding may begin, on every adapter. */
export const bindingWords = 64;

/** Where tensors begin, in words, each at a multiple of `alignment`, and how many words they are together. */
export function sideBySide(
  shapes: readonly (readonly number[])[],
  alignment: number,
): { readonly starts: readonly number[]; readonly words: number } {
  const starts: number[] = [];
  let words = 0;
  for (const shape of shapes) {
    starts.push(words);
    words += alignment * Math.ceil(util.sizeFromShape([...shape]) / alignment);
  }
  return { starts, words };
}

/** An array in which several tensors lie: a whole buffer, or a part of one, in bytes. */
export interface MergedArray {
  readonly buffer: GPUBuffer;
  readonly range?: { readonly from: number; readonly size: number };
}

/** A program with one array for all tensors that lie in one buffer. */
interface MergedCall {
  readonly program: GpuProgram;
  /** The tensors that stand for the arrays which are bound. */
  readonly bound: readonly number[];
  /** Where tensors begin in those, in elements, for the program's last parameters. */
  readonly bases: readonly number[];
  /** What is bound for a tensor; undefined if that lies by itself. */
  arrayOf(tensor: number): MergedArray | undefined;
}

/** Types of a program's arrays, reads and writes. */
const typesOf = ({ reads, writes }: GpuProgram) =>
  [...reads, ...writes].map((declared) => arrayOf(declared).type);

/** The program, or the one that it has for places where its arrays cannot be what they are in it. */
export function programFor(program: GpuProgram, places: readonly Place[]): GpuProgram {
  if (program.otherwise === undefined) return program;
  const types = typesOf(program);
  const isMisplaced = places.some(({ buffer, offset }, i) => {
    if (offset % bytesOfElement(types[i] as string) !== 0) return true;
    return places.some((place, j) => place.buffer === buffer && types[j] !== types[i]);
  });
  return isMisplaced ? program.otherwise : program;
}

/**
 * The program with one array for all that lie in one buffer, and how these are bound: undefined if none do. A buffer that
 * is only read may be bound several times, which is done where its parts are too far from each other.
 *
 * @param sizes of the tensors, in bytes
 * @param mostBytes of an array
 */
export function mergedFor(
  program: GpuProgram,
  places: readonly Place[],
  sizes: readonly number[],
  mostBytes: number,
): MergedCall | undefined {
  const numbers = places.map(({ buffer }) => places.findIndex((place) => place.buffer === buffer));
  if (numbers.every((number, i) => number === i)) return undefined;
  const rangeOf = (number: number) => {
    const members = numbers.flatMap((other, i) => (other === number ? [i] : []));
    const starts = members.map((i) => (places[i] as Place).offset);
    const from = Math.min(...starts);
    const to = Math.max(...members.map((i, k) => (starts[k] as number) + (sizes[i] as number)));
    return { members, from, size: 16 * Math.ceil((to - from) / 16) };
  };
  const { length: reads } = program.reads;
  const groups = numbers.map((number, i) => {
    const { members, size } = rangeOf(number);
    return size > mostBytes && members.every((member) => member < reads) ? i : number;
  });
  if (groups.every((number, i) => number === i)) return undefined;
  const merged = mergeArrays(program, groups);
  const types = typesOf(program);
  const partFor = (i: number) => {
    const { buffer } = places[i] as Place;
    return buffer.size > mostBytes ? rangeOf(groups[i] as number) : undefined;
  };
  return {
    program: merged.program,
    bound: merged.bound,
    bases: merged.based.map((i) => {
      const { offset } = places[i] as Place;
      return (offset - (partFor(i)?.from ?? 0)) / bytesOfElement(types[i] as string);
    }),
    arrayOf: (i) => {
      if (!merged.based.includes(i)) return undefined;
      const range = partFor(i);
      return { buffer: (places[i] as Place).buffer, ...(range && { range }) };
    },
  };
}

/** Which tensors of a call are to be moved into one buffer, as they lie in more than a shader may use: the smallest. */
export function arraysToMove(
  { name, reads }: GpuProgram,
  buffers: readonly GPUBuffer[],
  sizes: readonly number[],
  mostArrays: number,
): readonly number[] {
  const excess = new Set(buffers).size - mostArrays;
  if (excess <= 0) return [];
  const isAlone = (i: number) =>
    buffers.indexOf(buffers[i] as GPUBuffer) === buffers.lastIndexOf(buffers[i] as GPUBuffer);
  const chosen = [...reads.keys()]
    .filter((i) => arrayOf(reads[i] as string).type.includes("f32") && isAlone(i))
    .sort((i, j) => (sizes[i] as number) - (sizes[j] as number))
    .slice(0, excess + 1);
  if (chosen.length <= excess) throw new Error(`${name} needs more than ${mostArrays} arrays.`);
  return chosen;
}
