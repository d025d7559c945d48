import type { MatmulCall } from "./matmul-job.js";
import { tileSizes } from "./tiles.js";

/**
 * A kind of subgroup matrices (WGSL's `chromium_experimental_subgroup_matrix`): a subgroup computes
 * `[M, N] += [M, K] · [K, N]` at a time, in sums of f32.
 */
export interface MatrixShape {
  /** Type of the entries that are multiplied: with f16 they are rounded to it first. */
  readonly component: "f32" | "f16";
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Lanes of the largest subgroup that the device makes. */
  readonly lanes: number;
}

let shape: MatrixShape | undefined;

/** From now on products are by subgroup matrices of this shape, where they are large enough; without one, none are. */
export function setSubgroupMatrices(chosen?: MatrixShape): void {
  shape = chosen;
}

/** What a call is computed by: a product with less than one tile, along any of its axes, is not worth the padding. */
export function matricesFor({ jobs }: MatmulCall): MatrixShape | undefined {
  const { down, across, depth } = tileSizes();
  const fills = jobs.every(
    ({ rows, columns, inner }) =>
      rows >= down && columns >= across && inner.every((length) => length >= depth),
  );
  return fills ? shape : undefined;
}

/** Matrices of a tile that one subgroup has, down and across, and how many subgroups have some. */
export interface MatrixBlock {
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
}

const divisorsOf = (number: number) =>
  Array.from({ length: number }, (_, i) => i + 1).filter((divisor) => number % divisor === 0);

/**
 * How the matrices of a tile are shared: each subgroup has the smallest block for which there are enough subgroups, as square as it can be,
 * since a matrix of a or b is then loaded for several products.
 *
 * @throws Error if the tiles hold no whole number of matrices, or a workgroup no whole subgroup
 */
export function matrixBlock({ M, N, K, lanes }: MatrixShape): MatrixBlock {
  const { down, across, depth, threads } = tileSizes();
  if (down % M !== 0 || across % N !== 0 || depth % K !== 0) {
    throw new Error(
      `tiles of ${down}x${across}x${depth} hold no whole number of subgroup matrices of ${M}x${N}x${K}`,
    );
  }
  if (threads % lanes !== 0) {
    throw new Error(
      `a workgroup of ${threads} threads has no whole number of subgroups of ${lanes}`,
    );
  }
  const [most, high, wide] = [threads / lanes, down / M, across / N];
  const blocks = divisorsOf(high).flatMap((rows) =>
    divisorsOf(wide).map((columns) => ({ rows, columns, count: (high * wide) / (rows * columns) })),
  );
  const size = ({ rows, columns }: MatrixBlock) => rows * columns + (rows + columns) / 1e4;
  return blocks
    .filter(({ count }) => count <= most)
    .reduce((best, block) => (size(block) < size(best) ? block : best));
}
