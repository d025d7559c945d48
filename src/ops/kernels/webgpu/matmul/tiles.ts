/** Sizes of the tiles, for a sweep on a card: a thread computes `rows × columns` of the output. */
export interface MatmulTiles {
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Threads of a workgroup, down and across. */
  readonly groupRows: number;
  readonly groupColumns: number;
  /** How much of the inner axis is in workgroup memory at a time. */
  readonly depth: number;
}

const defaultTiles: MatmulTiles = {
  ...{ threadRows: 4, threadColumns: 4, groupRows: 8, groupColumns: 8, depth: 16 },
};
let tiles = defaultTiles;

/** Takes other tiles from now on; without any, the usual ones. */
export function setMatmulTiles(chosen: Partial<MatmulTiles> = {}): void {
  tiles = { ...defaultTiles, ...chosen };
}

export const tilesNow = (): MatmulTiles => tiles;

/** Rows and columns of a tile of the output, and how much of the inner axis and how many threads work on it at a time. */
export interface TileSizes {
  readonly down: number;
  readonly across: number;
  readonly depth: number;
  readonly threads: number;
}

export function tileSizes(): TileSizes {
  const { threadRows, threadColumns, groupRows, groupColumns, depth } = tiles;
  const [down, across] = [threadRows * groupRows, threadColumns * groupColumns];
  return { down, across, depth, threads: groupRows * groupColumns };
}

/** A wider norm costs more in every tile of a row than in a call of its own. */
const widestNorm = 512;

/** Whether rows of this width are normed by the product that reads them. */
export function fusesNorm(width: number): boolean {
  const { threads, down } = tileSizes();
  return width <= widestNorm && threads % down === 0;
}
