/** Sizes of one matmul: `batch` products [m, k] · [k, n] from batchA and batchB different blocks. */
export interface MatMulSizes {
  readonly batch: number;
  readonly batchA: number;
  readonly batchB: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * - `stock`: the C function as it is: XNNPACK for one untransposed block, otherwise a plain loop.
 * - `direct`: transpose operands where asked for, then XNNPACK for each block.
 * - `swapped`: Cᵀ = Bᵀ Aᵀ with XNNPACK, then transpose the result. An operand that was to be
 *   transposed is then right as it lies, and the smaller one is what XNNPACK packs.
 */
export type MatMulPath = "stock" | "direct" | "swapped";

/** Microseconds, measured on one core with SIMD; only their ratios matter. */
const cost = {
  /** Scratch memory and pairing of blocks, for every path but the stock one. */
  setup: 2,
  /** Three registered views and one XNNPACK call; a call of the stock function. */
  call: 0.5,
  /** One element of the right operand, packed anew for each call. */
  pack: 0.0019,
  /** One multiplication and addition in XNNPACK, columns rounded up to 8. */
  product: 0.000042,
  /** One element transposed in JavaScript. */
  transpose: 0.0008,
  /** One block transposed, however small. */
  transposedBlock: 0.15,
  /** One multiplication and addition of the plain loop, strided over A or not. */
  loopStrided: 0.0013,
  loop: 0.0006,
};

const roundedUp = (columns: number) => Math.ceil(columns / 8) * 8;

/** Transposes of operands and result are free where one of the sizes is 1: the bytes are the same. */
export const isVector = (rows: number, columns: number) => rows === 1 || columns === 1;

function transposeCost(blocks: number, rows: number, columns: number): number {
  return isVector(rows, columns)
    ? 0
    : blocks * (cost.transposedBlock + rows * columns * cost.transpose);
}

/** One right block for all: the rows of all left blocks are the rows of one product. */
export const sharesRight = ({ batchB }: MatMulSizes) => batchB === 1;

function directCost(sizes: MatMulSizes): number {
  const { batch, batchA, batchB, m, k, n, transposeA, transposeB } = sizes;
  const calls = sharesRight(sizes) ? 1 : batch;
  const products = batch * m * k * roundedUp(n) * cost.product;
  const right = k * n * cost.pack;
  const transposes =
    (transposeA ? transposeCost(batchA, k, m) : 0) + (transposeB ? transposeCost(batchB, n, k) : 0);
  return cost.setup + calls * (cost.call + right) + products + transposes;
}

function swappedCost({ batch, batchA, batchB, m, k, n, ...flags }: MatMulSizes): number {
  const products = batch * n * k * roundedUp(m) * cost.product;
  const right = m * k * cost.pack;
  const transposes =
    (flags.transposeA ? 0 : transposeCost(batchA, m, k)) +
    (flags.transposeB ? 0 : transposeCost(batchB, k, n)) +
    transposeCost(batch, n, m);
  return cost.setup + batch * (cost.call + right) + products + transposes;
}

function stockCost({ batch, batchA, batchB, m, k, n, transposeA }: MatMulSizes): number {
  const broadcasts = batchA !== batch && batchA !== 1;
  // The C loop knows equal batches and a single block; for anything else it reads the wrong blocks.
  if (broadcasts || (batchB !== batch && batchB !== 1)) return Infinity;
  return cost.call + batch * m * k * n * (transposeA ? cost.loopStrided : cost.loop);
}

/** The fastest of the paths by the measured costs. It depends on the sizes only. */
export function chooseMatMulPath(sizes: MatMulSizes): MatMulPath {
  const { batch, transposeA, transposeB } = sizes;
  // XNNPACK on the tensors themselves keeps its packed copy of B for as long as B lives.
  if (batch === 1 && !transposeA && !transposeB) return "stock";
  const stock = stockCost(sizes);
  const direct = directCost(sizes);
  const swapped = swappedCost(sizes);
  if (stock <= direct && stock <= swapped) return "stock";
  return direct <= swapped ? "direct" : "swapped";
}
