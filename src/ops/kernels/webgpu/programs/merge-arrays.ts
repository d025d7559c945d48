import { rewriteIndexing } from "./indexing.js";
import { arrayOf, type GpuProgram } from "./program.js";

/** A program whose arrays lie in fewer buffers than it has arrays. */
export interface MergedProgram {
  readonly program: GpuProgram;
  /** By binding, which of the arrays stands for it: reads and writes of the original, in its order. */
  readonly bound: readonly number[];
  /** Arrays whose first element is given after the parameters of the original, in this order. */
  readonly based: readonly number[];
}

const known = new WeakMap<GpuProgram, Map<string, MergedProgram>>();

/**
 * The same program where some arrays lie in one buffer: WebGPU binds a buffer once, and only once where it is
 * written. Arrays of one number in `buffers` become one, in which each begins at a parameter.
 *
 * @param buffers by array (reads, then writes), the number of its buffer
 */
export function mergeArrays(program: GpuProgram, buffers: readonly number[]): MergedProgram {
  const variants = known.get(program) ?? new Map<string, MergedProgram>();
  known.set(program, variants);
  const pattern = buffers.join();
  const merged = variants.get(pattern) ?? merge(program, buffers, pattern);
  variants.set(pattern, merged);
  return merged;
}

function merge(program: GpuProgram, buffers: readonly number[], pattern: string): MergedProgram {
  const arrays = [...program.reads, ...program.writes].map(arrayOf);
  const membersOf = (at: number) =>
    buffers.flatMap((buffer, i) => (buffer === buffers[at] ? [i] : []));
  const firsts = buffers.flatMap((_, i) => (membersOf(i)[0] === i ? [i] : []));
  const isWritten = (at: number) => membersOf(at).some((i) => i >= program.reads.length);
  const bound = [...firsts.filter((i) => !isWritten(i)), ...firsts.filter(isWritten)];
  const based = buffers.flatMap((_, i) => (membersOf(i).length > 1 ? [i] : []));
  const names = new Map<string, string>();
  for (const i of based) {
    const first = membersOf(i)[0] as number;
    const [array, whole] = [arrays[i], arrays[first]] as { name: string; type: string }[];
    if (array?.type !== whole?.type) {
      throw new Error(`${program.name}: ${array?.name} and ${whole?.name} are of two types.`);
    }
    names.set(array?.name as string, `merged${first}`);
  }
  const declare = (i: number) => {
    const name = based.includes(i) ? `merged${i}` : (arrays[i]?.name as string);
    return `${name}: ${arrays[i]?.type as string}`;
  };
  return {
    bound,
    based,
    program: {
      name: `${program.name} merged ${pattern}`,
      params: [...program.params, ...based.map((i) => `base_${arrays[i]?.name as string}: u32`)],
      reads: bound.filter((i) => !isWritten(i)).map(declare),
      writes: bound.filter(isWritten).map(declare),
      code: rewriteIndexing(
        program.code,
        [...names.keys()],
        (name, index) => `${names.get(name)}[p.base_${name} + u32(${index})]`,
      ),
    },
  };
}
