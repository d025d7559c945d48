import * as tf from "@tensorflow/tfjs";
import {
  chooseMatMulPath,
  isVector,
  type MatMulPath,
  type MatMulSizes,
  sharesRight,
} from "./matmul-path.js";
import { heapFloats, type StockWasmBackend, withScratch } from "./stock-backend.js";
import { transposeBlock } from "./transpose-block.js";

export interface MatMulFlags {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Blocks of an operand in the heap: `count` of `rows` × `columns`, one after the other. */
interface Blocks {
  readonly address: number;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * op(a) · op(b) over the last two axes, the leading axes broadcast: a new tensor of the stock
 * backend. `path` is for tests; by default it is the fastest one for the sizes.
 */
export function stockMatMul(
  backend: StockWasmBackend,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  flags: MatMulFlags,
  path?: MatMulPath,
): tf.TensorInfo {
  if (a.dtype !== "float32" || b.dtype !== "float32") {
    throw new Error(`BatchMatMul on wasm needs float32, got ${a.dtype} and ${b.dtype}.`);
  }
  const outerA = a.shape.slice(0, -2);
  const outerB = b.shape.slice(0, -2);
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const sizes = matMulSizes(a.shape, b.shape, outer, flags);
  const { batch, batchA, batchB, m, k, n } = sizes;
  const output = backend.makeOutput([...outer, m, n], "float32");
  if (batch * m * n === 0) return output;
  if (k === 0) {
    backend.typedArrayFromHeap(output).fill(0);
    return output;
  }
  const chosen = path ?? chooseMatMulPath(sizes);
  if (chosen === "stock") {
    const ids = [idOf(backend, a), idOf(backend, b), idOf(backend, output)] as const;
    withShapes(backend, sizes, (shapes) => callStock(backend, ids, shapes, flags));
    return output;
  }
  const left = blocksOf(backend, a, batchA);
  const right = blocksOf(backend, b, batchB);
  const pairs = pairBlocks(outer, outerA, outerB);
  const target = addressOf(backend, output);
  if (chosen === "direct") direct(backend, left, right, sizes, pairs, target);
  else swapped(backend, left, right, sizes, pairs, target);
  return output;
}

function matMulSizes(
  aShape: number[],
  bShape: number[],
  outer: number[],
  { transposeA, transposeB }: MatMulFlags,
): MatMulSizes {
  const [aRows = 0, aColumns = 0] = aShape.slice(-2);
  const [bRows = 0, bColumns = 0] = bShape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner) {
    throw new Error(
      `matMul: inner sizes ${k} and ${inner} of [${aShape}] and [${bShape}] differ ` +
        `(transposeA ${transposeA}, transposeB ${transposeB}).`,
    );
  }
  const batch = tf.util.sizeFromShape(outer);
  const batchA = tf.util.sizeFromShape(aShape.slice(0, -2));
  const batchB = tf.util.sizeFromShape(bShape.slice(0, -2));
  return { batch, batchA, batchB, m, k, n, transposeA, transposeB };
}

/** For every block of the output, the indices of its blocks of a and b. */
function pairBlocks(outer: number[], outerA: number[], outerB: number[]): [number, number][] {
  const strides = (shape: number[]) => {
    let stride = 1;
    const aligned = Array.from(outer, () => 0);
    for (let axis = 1; axis <= shape.length; axis++) {
      const length = shape[shape.length - axis] as number;
      aligned[outer.length - axis] = length === 1 ? 0 : stride;
      stride *= length;
    }
    return aligned;
  };
  const stridesA = strides(outerA);
  const stridesB = strides(outerB);
  return Array.from({ length: tf.util.sizeFromShape(outer) }, (_, block) => {
    let rest = block;
    let indexA = 0;
    let indexB = 0;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const length = outer[axis] as number;
      const position = rest % length;
      indexA += position * (stridesA[axis] as number);
      indexB += position * (stridesB[axis] as number);
      rest = (rest - position) / length;
    }
    return [indexA, indexB];
  });
}

/** Transposes whatever is stored the wrong way round, then multiplies block by block. */
function direct(
  backend: StockWasmBackend,
  a: Blocks,
  b: Blocks,
  sizes: MatMulSizes,
  pairs: readonly [number, number][],
  target: number,
): void {
  const { m, k, n, batchA, transposeA, transposeB } = sizes;
  withTransposed(backend, a, transposeA, (left) => {
    withTransposed(backend, b, transposeB, (right) => {
      const shared = sharesRight(sizes);
      const block = { rows: shared ? batchA * m : m, inner: k, columns: n };
      withMultiply(backend, block, (multiply) => {
        if (shared) {
          multiply(left, right, target);
          return;
        }
        for (const [index, [indexA, indexB]] of pairs.entries()) {
          const aAddress = left + indexA * m * k * 4;
          const bAddress = right + indexB * k * n * 4;
          multiply(aAddress, bAddress, target + index * m * n * 4);
        }
      });
    });
  });
}

/** Cᵀ = op(B)ᵀ op(A)ᵀ, then Cᵀ back to C. */
function swapped(
  backend: StockWasmBackend,
  a: Blocks,
  b: Blocks,
  sizes: MatMulSizes,
  pairs: readonly [number, number][],
  target: number,
): void {
  const { m, k, n, transposeA, transposeB } = sizes;
  const inPlace = isVector(m, n);
  withTransposed(backend, a, !transposeA, (right) => {
    withTransposed(backend, b, !transposeB, (left) => {
      withScratch(backend, inPlace ? 0 : m * n, (scratch) => {
        withMultiply(backend, { rows: n, inner: k, columns: m }, (multiply) => {
          for (const [index, [indexA, indexB]] of pairs.entries()) {
            const output = target + index * m * n * 4;
            const bAddress = left + indexB * k * n * 4;
            const aAddress = right + indexA * m * k * 4;
            multiply(bAddress, aAddress, inPlace ? output : scratch);
            if (!inPlace) transposeBlock(heapFloats(backend), scratch / 4, n, m, output / 4);
          }
        });
      });
    });
  });
}

/** Gives `use` the address of the blocks, transposed into scratch memory if asked for. */
function withTransposed(
  backend: StockWasmBackend,
  { address, count, rows, columns }: Blocks,
  transpose: boolean,
  use: (address: number) => void,
): void {
  if (!transpose || isVector(rows, columns)) {
    use(address);
    return;
  }
  const size = rows * columns;
  withScratch(backend, count * size, (scratch) => {
    const heap = heapFloats(backend);
    for (let block = 0; block < count; block++) {
      const offset = block * size;
      transposeBlock(heap, address / 4 + offset, rows, columns, scratch / 4 + offset);
    }
    use(scratch);
  });
}

/**
 * Gives `use` a function that multiplies row-major [rows, inner] · [inner, columns] by XNNPACK, at
 * byte addresses: left, right, output. XNNPACK packs the right operand and keeps that for as long
 * as its id lives, so each call registers fresh ids, and their end also frees the packed copy.
 */
function withMultiply(
  backend: StockWasmBackend,
  { rows, inner, columns }: { rows: number; inner: number; columns: number },
  use: (multiply: (left: number, right: number, output: number) => void) => void,
): void {
  const { tfjs } = backend.wasm;
  const flags = { transposeA: false, transposeB: false };
  const sizes = { batch: 1, batchA: 1, batchB: 1, m: rows, k: inner, n: columns, ...flags };
  withShapes(backend, sizes, (shapes) => {
    use((left, right, output) => {
      const ids = [nextId(backend), nextId(backend), nextId(backend)] as const;
      tfjs.registerTensor(ids[0], rows * inner, left);
      tfjs.registerTensor(ids[1], inner * columns, right);
      tfjs.registerTensor(ids[2], rows * columns, output);
      callStock(backend, ids, shapes, flags);
      tfjs.disposeData(ids[0]);
      tfjs.disposeData(ids[1]);
      tfjs.disposeData(ids[2]);
    });
  });
}

/** Gives `use` the address of both shapes as the C function wants them: three 32-bit sizes each. */
function withShapes(
  { wasm }: StockWasmBackend,
  { batchA, batchB, m, k, n, transposeA, transposeB }: MatMulSizes,
  use: (address: number) => void,
): void {
  const top = wasm.stackSave();
  const shapes = wasm.stackAlloc(24);
  const aShape = transposeA ? [batchA, k, m] : [batchA, m, k];
  const bShape = transposeB ? [batchB, n, k] : [batchB, k, n];
  new Int32Array(wasm.HEAPU8.buffer, shapes, 6).set([...aShape, ...bShape]);
  use(shapes);
  wasm.stackRestore(top);
}

/** The C function on registered ids: a, b, output. */
function callStock(
  { wasm }: StockWasmBackend,
  [a, b, output]: readonly [number, number, number],
  shapes: number,
  { transposeA, transposeB }: MatMulFlags,
): void {
  wasm._BatchMatMul(a, shapes, 3, b, shapes + 12, 3, transposeA, transposeB, output);
}

function nextId(backend: StockWasmBackend): number {
  return backend.dataIdNextNumber++;
}

function idOf(backend: StockWasmBackend, { dataId }: tf.TensorInfo): number {
  return backend.dataIdMap.get(dataId).id;
}

function addressOf(backend: StockWasmBackend, { dataId }: tf.TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

function blocksOf(backend: StockWasmBackend, info: tf.TensorInfo, count: number): Blocks {
  const [rows = 0, columns = 0] = info.shape.slice(-2);
  return { address: addressOf(backend, info), count, rows, columns };
}
