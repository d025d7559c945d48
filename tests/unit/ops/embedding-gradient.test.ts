import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  composedEmbeddingGradient,
  embeddingGradient,
} from "../../../src/ops/layers/embedding-gradient.js";
import { embedding } from "../../../src/ops/index.js";
import { Random } from "../../../src/tensors/index.js";

// 1100 ids are more than one chunk of the comparison matrix.
test.each([
  { vocabularySize: 1, count: 3, width: 2 },
  { vocabularySize: 7, count: 20, width: 3 },
  { vocabularySize: 50, count: 20, width: 3 },
  { vocabularySize: 1500, count: 1100, width: 1 },
])("the composition for other backends adds up the same rows: %o", (sizes) => {
  const { vocabularySize, count, width } = sizes;
  const random = new Random(4);
  const ids = Int32Array.from({ length: count }, () => random.integer(vocabularySize));
  const rows = Float32Array.from({ length: count * width }, () => random.integer(100) - 50);
  const expected = new Float32Array(vocabularySize * width);
  for (const [i, id] of ids.entries()) {
    for (let d = 0; d < width; d++) expected[id * width + d]! += rows[i * width + d]!;
  }
  const [composed, kernel] = tf.tidy(() => {
    const inputs = { dy: tf.tensor3d(rows, [1, count, width]), ids: tf.tensor2d(ids, [1, count]) };
    return [
      composedEmbeddingGradient(inputs, { vocabularySize }),
      embeddingGradient(inputs, { vocabularySize })[0] as tf.Tensor,
    ].map((gradient) => gradient.dataSync());
  });
  // Whole numbers: every order of additions is exact, so the sums must be equal.
  expect(composed).toEqual(expected);
  expect(kernel).toEqual(expected);
});

test("a frozen table needs no gradient, and float ids are refused", () => {
  const table = tf.ones<tf.Rank.R2>([3, 2]);
  const ids = tf.tensor1d([0, 2], "int32");
  const scale = tf.scalar(2);
  const gradient = tf.grad((s: tf.Tensor) => embedding(table, ids).mul(s))(scale);
  expect(gradient.dataSync()[0]).toBe(4);
  expect(() => embedding(table, scale)).toThrow("int32");
  tf.dispose([table, ids, scale, gradient]);
});
