import { rewriteIndexing } from "./indexing.js";
import { arrayOf, bytesOfElement, type GpuProgram } from "./program.js";

const known = new WeakMap<GpuProgram, Map<string, GpuProgram>>();

/**
 * The same program where some arrays are larger than what a shader may use of a buffer: such an array is bound in pieces, one
 * after the other, and its elements are read and written by functions that find the piece. Each access costs comparisons; it is
 * for arrays that could not be used otherwise.
 *
 * @param pieces by array (reads, then writes), in how many it is bound
 * @param words of each piece but the last
 */
export function splitArrays(
  program: GpuProgram,
  pieces: readonly number[],
  words: number,
): GpuProgram {
  const variants = known.get(program) ?? new Map<string, GpuProgram>();
  known.set(program, variants);
  const pattern = `${pieces.join()} of ${words}`;
  const found = variants.get(pattern) ?? split(program, pieces, words, pattern);
  variants.set(pattern, found);
  return found;
}

interface Split {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly isWritten: boolean;
}

function split(
  program: GpuProgram,
  pieces: readonly number[],
  words: number,
  pattern: string,
): GpuProgram {
  const { reads, writes } = program;
  const arrays = [...reads, ...writes].map((declared, i): Split => {
    return { ...arrayOf(declared), count: pieces[i] as number, isWritten: i >= reads.length };
  });
  const declare = ({ name, type, count }: Split) =>
    count === 1
      ? [`${name}: ${type}`]
      : pieceNames(name, count).map((piece) => `${piece}: ${type}`);
  const large = arrays.filter(({ count }) => count > 1);
  const names = large.map(({ name }) => name);
  return {
    name: `${program.name} in pieces ${pattern}`,
    params: program.params,
    reads: arrays.filter(({ isWritten }) => !isWritten).flatMap(declare),
    writes: arrays.filter(({ isWritten }) => isWritten).flatMap(declare),
    code: [
      ...large.map((array) => accessors(array, (4 * words) / bytesOfElement(array.type))),
      byAccessors(program.code, names),
    ].join("\n"),
  };
}

const pieceNames = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${name}_piece${i}`);

/** WGSL: a function that reads an element, and one that writes it where that is allowed. */
function accessors({ name, type, count, isWritten }: Split, length: number): string {
  const cases = (use: (element: string) => string) =>
    pieceNames(name, count)
      .map((piece, i) => {
        const body = use(`${piece}[at${i === 0 ? "" : ` - ${i * length}u`}]`);
        return i === count - 1 ? body : `if (at < ${(i + 1) * length}u) { ${body} }`;
      })
      .join("\n  ");
  const read = `fn read_${name}(at: u32) -> ${type} {
  ${cases((element) => `return ${element};`)}
}`;
  const write = `fn write_${name}(at: u32, value: ${type}) {
  ${cases((element) => `${element} = value; return;`)}
}`;
  return isWritten ? `${read}\n${write}` : read;
}

/** WGSL with `name[index]` as a call that reads, and `name[index] = value;` as one that writes. */
function byAccessors(code: string, names: readonly string[]): string {
  const read = (name: string, index: string) => `read_${name}(u32(${index}))`;
  return rewriteIndexing(code, names, read, ({ name, index, operator, value }) => {
    const written = operator ? `${read(name, index)} ${operator} (${value})` : value;
    return `write_${name}(u32(${index}), ${written})`;
  });
}
