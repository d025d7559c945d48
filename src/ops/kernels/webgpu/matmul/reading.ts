import { type MatmulCall, stridesOf } from "./matmul-job.js";
import type { Roles } from "./roles.js";
import { tileSizes } from "./tiles.js";

/** How the arrays of a call are read: the only place that knows what their elements are. */
export interface Reading {
  /** Of an array: `in0: f32`. */
  declare(array: number): string;
  /** WGSL: the number at a word of an array. */
  one(array: number, word: string): string;
  /** WGSL: the four numbers from a word on, a multiple of 4, as a vector. */
  four(array: number, word: string): string;
  /** Whether a load brings four numbers. */
  isByFours(array: number): boolean;
}

/** @param byFours by array, whether its elements are vectors of four */
export function readingOf(byFours: readonly boolean[]): Reading {
  const isByFours = (array: number) => byFours[array] === true;
  return {
    isByFours,
    declare: (array) => `in${array}: ${isByFours(array) ? "vec4<f32>" : "f32"}`,
    one: (array, word) =>
      isByFours(array) ? `in${array}[(${word}) / 4u][(${word}) % 4u]` : `in${array}[${word}]`,
    four: (array, word) =>
      isByFours(array)
        ? `in${array}[(${word}) / 4u]`
        : `vec4f(${[0, 1, 2, 3].map((i) => `in${array}[${word} + ${i}u]`).join(", ")})`,
  };
}

/**
 * Which arrays are vectors of four: an operand where lines, what lies between them and where they begin are multiples of 4 wherever it is used,
 * and so are the tiles. Biases and weights of norms follow if all operands are, since they lie in one buffer with other
 * weights; residuals, which lie with no operand but may lie with the output, do not.
 *
 * @param count of arrays
 */
export function arraysByFours(call: MatmulCall, roles: Roles, count: number): boolean[] {
  const { down, across, depth } = tileSizes();
  const { a: offsetA = 0, b: offsetB = 0 } = call.offsets ?? {};
  const operands = new Map<number, boolean>();
  const use = (array: number | undefined, ...sizes: number[]) => {
    if (array === undefined) return;
    const fits = sizes.every((size) => size % 4 === 0);
    operands.set(array, fits && operands.get(array) !== false);
  };
  for (const [i, job] of call.jobs.entries()) {
    for (const [term, inner] of job.inner.entries()) {
      const { a, b } = stridesOf(job, term);
      const ofA = job.transposeA ? [job.rows, down] : [inner, depth];
      const ofB = job.transposeB ? [inner, depth] : [job.columns, across];
      use(roles.a[i]?.[term], ...ofA, a, offsetA);
      use(roles.b[i]?.[term], ...ofB, b, offsetB);
      use(roles.second?.b, ...ofB, b, offsetB);
    }
  }
  const others = [...operands.values()].every(Boolean);
  return Array.from(
    { length: count },
    (_, array) => operands.get(array) ?? (others && !roles.residual.includes(array)),
  );
}
