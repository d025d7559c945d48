import type { TileSizes } from "./tiles.js";

/** How the tiles of a and b lie in workgroup memory: `tile_a[k * strideA + row]`, `tile_b[k * strideB + column]`. */
export interface TileLayout extends TileSizes {
  readonly strideA: number;
  readonly strideB: number;
  /** Type of the entries. */
  readonly component: "f32" | "f16";
}

/**
 * A way to multiply the tiles in workgroup memory, as parts of the entry point. There are one or two products, `tile_a · tile_b`
 * and `tile_a · tile_second`, and each entry of them ends in a call of `store`.
 */
export interface TileProducts {
  readonly layout: TileLayout;
  /** WGSL: what it has in workgroup memory beside the tiles. */
  readonly memory: string;
  /** An array of f32 in workgroup memory that a tile of a fits into, free until the first product. */
  readonly scratch: string;
  readonly workgroupSize: string;
  /** WGSL: arguments of the entry point beside `g` and `lane`. */
  readonly builtins: string;
  /** WGSL: makes the sums, all 0. */
  readonly begin: string;
  /** WGSL: adds the products of the tiles. */
  readonly multiply: string;
  /** WGSL: stores the sums. */
  readonly end: string;
}

/** Names of the sums and of the tiles of b, by product. */
export const faces = [
  { sum: "s", tile: "tile_b" },
  { sum: "t", tile: "tile_second" },
] as const;
