import { expect, test } from "vitest";
import { chooseMatMulPath } from "../../../../src/backend/wasm-kernels/matmul-path.js";

const sizes = { batch: 1, batchA: 1, batchB: 1, transposeA: false, transposeB: false };
const batched = (batch: number) => ({ ...sizes, batch, batchA: batch, batchB: batch });

test("one untransposed block stays with the stock function, which keeps B packed", () => {
  expect(chooseMatMulPath({ ...sizes, m: 1024, k: 128, n: 512 })).toBe("stock");
  expect(chooseMatMulPath({ ...sizes, m: 1, k: 128, n: 50257 })).toBe("stock");
});

test("no gradient of a matmul of training size falls on the stock loop", () => {
  for (const [m, k, n] of [
    [1024, 128, 512],
    [128, 1024, 512],
    [512, 1024, 128],
  ] as const) {
    expect(chooseMatMulPath({ ...sizes, m, k, n, transposeA: true })).not.toBe("stock");
    expect(chooseMatMulPath({ ...sizes, m, k, n, transposeB: true })).not.toBe("stock");
  }
  for (const transposeB of [false, true]) {
    expect(chooseMatMulPath({ ...batched(64), m: 64, k: 32, n: 64, transposeB })).toBe("direct");
  }
});

test("a few rows against a large transposed matrix do not transpose the matrix", () => {
  expect(chooseMatMulPath({ ...sizes, m: 16, k: 128, n: 8192, transposeB: true })).toBe("swapped");
});

test("many tiny blocks cost less in the stock loop than in calls", () => {
  expect(chooseMatMulPath({ ...batched(4096), m: 2, k: 2, n: 2 })).toBe("stock");
});

test("a batch that broadcasts on both sides never takes the stock loop, which would be wrong", () => {
  const both = { ...sizes, batch: 6, batchA: 2, batchB: 3 };
  expect(chooseMatMulPath({ ...both, m: 1, k: 1, n: 1 })).not.toBe("stock");
});
