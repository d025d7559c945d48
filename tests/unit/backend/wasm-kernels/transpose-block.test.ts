import { expect, test } from "vitest";
import { transposeBlock } from "../../../../src/backend/wasm-kernels/transpose-block.js";

test.each([
  [1, 1],
  [1, 9],
  [9, 1],
  [3, 5],
  [4, 4],
  [17, 33],
  [32, 16],
  [40, 18],
])("moves every element of %i × %i and touches nothing else", (rows, columns) => {
  const size = rows * columns;
  const heap = new Float32Array(2 * size + 3);
  for (let i = 0; i < size; i++) heap[1 + i] = i + 1;
  transposeBlock(heap, 1, rows, columns, size + 2);
  expect([heap[0], heap[size + 1], heap[2 * size + 2]]).toEqual([0, 0, 0]);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      expect(heap[size + 2 + j * rows + i]).toBe(i * columns + j + 1);
    }
  }
});
