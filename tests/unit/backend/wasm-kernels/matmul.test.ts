import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBackend } from "../../../../src/backend/index.js";
import { stockMatMul } from "../../../../src/backend/wasm-kernels/matmul.js";
import type { MatMulPath } from "../../../../src/backend/wasm-kernels/matmul-path.js";
import type { StockWasmBackend } from "../../../../src/backend/wasm-kernels/stock-backend.js";
import { Random } from "../../../../src/tensors/index.js";
import { useCpu } from "../../../setup/backend.js";

beforeEach(async () => {
  await startBackend("wasm");
});
afterEach(useCpu);

type Operand = { shape: number[]; values: Float32Array };

function randomOperand(random: Random, shape: number[]): Operand {
  const length = tf.util.sizeFromShape(shape);
  return { shape, values: Float32Array.from({ length }, () => random.normal()) };
}

/** op(a) · op(b) in double precision, leading axes broadcast, by the definition. */
function reference(a: Operand, b: Operand, transposeA: boolean, transposeB: boolean): number[] {
  const outerA = a.shape.slice(0, -2);
  const outerB = b.shape.slice(0, -2);
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const [aRows = 0, aColumns = 0] = a.shape.slice(-2);
  const [bRows = 0, bColumns = 0] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const n = transposeB ? bRows : bColumns;
  const blockOf = (index: number[], shape: number[]) =>
    shape.reduce((sum, length, axis) => {
      const position = index[outer.length - shape.length + axis] as number;
      return sum * length + (length === 1 ? 0 : position);
    }, 0);
  const result: number[] = [];
  for (let block = 0; block < tf.util.sizeFromShape(outer); block++) {
    const index = tf.util.indexToLoc(block, outer.length, tf.util.computeStrides(outer));
    const position = outer.length === 1 ? [block] : index;
    const aStart = blockOf(position, outerA) * aRows * aColumns;
    const bStart = blockOf(position, outerB) * bRows * bColumns;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let inner = 0; inner < k; inner++) {
          const aOffset = transposeA ? inner * aColumns + i : i * aColumns + inner;
          const bOffset = transposeB ? j * bColumns + inner : inner * bColumns + j;
          sum += (a.values[aStart + aOffset] as number) * (b.values[bStart + bOffset] as number);
        }
        result.push(sum);
      }
    }
  }
  return result;
}

function largestError(values: ArrayLike<number>, expected: readonly number[]): number {
  expect(values.length).toBe(expected.length);
  return expected.reduce((worst, e, i) => Math.max(worst, Math.abs((values[i] as number) - e)), 0);
}

const variants = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Leading axes of a and b, then m, k, n. */
const cases: [outerA: number[], outerB: number[], sizes: [number, number, number]][] = [
  [[], [], [1, 1, 1]],
  [[], [], [3, 5, 7]],
  [[], [], [33, 65, 17]],
  [[], [], [1, 19, 130]],
  [[], [], [130, 19, 1]],
  [[2], [2], [17, 3, 5]],
  [[6], [6], [9, 31, 8]],
  [[3], [1], [5, 4, 18]],
  [[3], [], [5, 4, 18]],
  [[1], [3], [20, 4, 3]],
  [
    [2, 3],
    [2, 3],
    [4, 21, 6],
  ],
  [
    [2, 1],
    [1, 3],
    [7, 5, 9],
  ],
  [
    [2, 1, 2],
    [3, 1],
    [5, 2, 4],
  ],
];

describe("stockMatMul", () => {
  const paths: (MatMulPath | undefined)[] = ["direct", "swapped", undefined];
  test.each(cases)("[%s] and [%s], m k n = %s", (outerA, outerB, [m, k, n]) => {
    const backend = tf.backend() as unknown as StockWasmBackend;
    const random = new Random(1).stream("operands", m, n);
    for (const [transposeA, transposeB] of variants) {
      const a = randomOperand(random, [...outerA, ...(transposeA ? [k, m] : [m, k])]);
      const b = randomOperand(random, [...outerB, ...(transposeB ? [n, k] : [k, n])]);
      const expected = reference(a, b, transposeA, transposeB);
      const left = tf.tensor(a.values, a.shape);
      const right = tf.tensor(b.values, b.shape);
      for (const path of paths) {
        const flags = { transposeA, transposeB };
        const output = stockMatMul(backend, left, right, flags, path);
        const label = `${path ?? "chosen"} path, transposes ${transposeA} ${transposeB}`;
        expect(output.shape, label).toEqual([
          ...tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB),
          m,
          n,
        ]);
        const values = backend.typedArrayFromHeap(output);
        expect(largestError(values, expected), label).toBeLessThan(2e-5);
        backend.disposeData(output.dataId);
      }
      left.dispose();
      right.dispose();
    }
  });

  test("an empty inner axis gives zeros, an empty outer one nothing", async () => {
    const zeros = tf.tidy(() => tf.matMul(tf.zeros([3, 0]), tf.zeros([0, 2])));
    const nothing = tf.tidy(() => tf.matMul(tf.zeros([0, 3]), tf.zeros([3, 2])));
    expect([...(await zeros.data())]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(nothing.shape).toEqual([0, 2]);
    tf.dispose([zeros, nothing]);
  });

  test.each(variants)("NaN and infinity come through (transposes %s %s)", async (tA, tB) => {
    const size = 24;
    const values = new Float32Array(size * size).fill(1);
    values[0] = Number.NaN;
    values[size * size - 1] = Number.POSITIVE_INFINITY;
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor2d(values, [size, size]), tf.ones([size, size]), tA, tB),
    );
    const result = await product.data();
    expect(result[0]).toBeNaN();
    expect(result[size * size - 1]).toBe(Number.POSITIVE_INFINITY);
    expect(result[size * (size / 2) + 3]).toBe(size);
    product.dispose();
  });

  test("int32 operands are refused", () => {
    const product = () => tf.tidy(() => tf.ones([2, 2], "int32").matMul(tf.ones([2, 2], "int32")));
    expect(product).toThrow(/needs float32, got int32/);
  });
});

describe("gradients on wasm", () => {
  /** Gradients of sum(matMul(a, b) · weights) on the current backend. */
  async function gradients(a: Operand, b: Operand, tA: boolean, tB: boolean) {
    const [left, right] = tf.tidy(() =>
      tf.grads((x: tf.Tensor, y: tf.Tensor) => {
        const product = tf.matMul(x, y, tA, tB);
        return product.mul(tf.range(0, product.size).reshape(product.shape).cos()).sum();
      })([tf.tensor(a.values, a.shape), tf.tensor(b.values, b.shape)]),
    ) as [tf.Tensor, tf.Tensor];
    const values = [await left.data(), await right.data()];
    tf.dispose([left, right]);
    return values;
  }

  test.each(variants)("are those of cpu (transposes %s %s)", async (tA, tB) => {
    const random = new Random(2);
    for (const outer of [[], [3], [2, 2]]) {
      const a = randomOperand(random, [...outer, ...(tA ? [13, 21] : [21, 13])]);
      const b = randomOperand(random, [...outer, ...(tB ? [10, 13] : [13, 10])]);
      await startBackend("wasm");
      const onWasm = await gradients(a, b, tA, tB);
      await useCpu();
      const onCpu = await gradients(a, b, tA, tB);
      for (const [i, values] of onWasm.entries()) {
        expect(largestError(values, [...(onCpu[i] as Float32Array)])).toBeLessThan(2e-5);
      }
    }
  });
});

test("300 steps with changing weights leave the heap and the tensors as they were", () => {
  const backend = tf.backend() as unknown as StockWasmBackend;
  const operand = (shape: number[], value: number) => {
    const values = new Float32Array(tf.util.sizeFromShape(shape)).fill(value);
    return backend.makeOutput(shape, "float32", undefined, values);
  };
  // XNNPACK keeps a packed copy of every right operand, and these are new in each step.
  const step = (value: number) => {
    const weight = operand([128, 96], value);
    const heads = operand([4, 64, 32], value);
    for (const [transposeA, transposeB] of variants) {
      const input = operand(transposeA ? [128, 64] : [64, 128], 1);
      const right = transposeB ? operand([96, 128], value) : weight;
      const queries = operand(transposeA ? [4, 64, 16] : [4, 16, 64], 1);
      const keys = transposeB ? operand([4, 32, 64], value) : heads;
      const products = [
        stockMatMul(backend, input, right, { transposeA, transposeB }),
        stockMatMul(backend, queries, keys, { transposeA, transposeB }),
      ];
      expect(backend.typedArrayFromHeap(products[0] as tf.TensorInfo)[7]).toBe(128 * value);
      for (const info of new Set([...products, input, right, queries, keys])) {
        if (info !== weight && info !== heads) backend.disposeData(info.dataId);
      }
    }
    for (const info of [weight, heads]) backend.disposeData(info.dataId);
  };
  const state = () => [backend.wasm.HEAPU8.length, tf.memory().numDataBuffers];
  for (let i = 0; i < 10; i++) step(i);
  const before = state();
  for (let i = 0; i < 300; i++) step(i);
  expect(state()).toEqual(before);
});
