import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { maskedMean, maskedSum } from "../../../src/losses/index.js";

/** Value and gradient of a reduction of one row. */
function reduceRow(
  reduce: (perToken: tf.Tensor2D, mask: tf.Tensor2D) => tf.Scalar,
  values: number[],
  mask: number[],
): { value: number; gradient: number[] } {
  return tf.tidy(() => {
    const maskTensor = tf.tensor2d([mask]);
    const { value, grad } = tf.valueAndGrad((x) => reduce(x as tf.Tensor2D, maskTensor))(
      tf.tensor2d([values]),
    );
    return { value: value.dataSync()[0] as number, gradient: [...grad.dataSync()] };
  });
}

test("sum and mean count only unmasked positions", () => {
  const row: [number[], number[]] = [
    [1, 2, 4, 8],
    [1, 0, 1, 0],
  ];
  expect(reduceRow(maskedSum, ...row)).toEqual({ value: 5, gradient: [1, 0, 1, 0] });
  expect(reduceRow(maskedMean, ...row)).toEqual({ value: 2.5, gradient: [0.5, 0, 0.5, 0] });
});

test.each([NaN, Infinity, -Infinity])("a masked %d contributes nothing", (bad) => {
  const row: [number[], number[]] = [
    [1, bad, 3],
    [1, 0, 1],
  ];
  expect(reduceRow(maskedSum, ...row)).toEqual({ value: 4, gradient: [1, 0, 1] });
  expect(reduceRow(maskedMean, ...row)).toEqual({ value: 2, gradient: [0.5, 0, 0.5] });
});

test("an unmasked NaN is not hidden", () => {
  expect(reduceRow(maskedSum, [1, NaN], [1, 1]).value).toBeNaN();
});

test("an empty mask gives 0 and no gradient", () => {
  for (const reduce of [maskedSum, maskedMean]) {
    expect(reduceRow(reduce, [NaN, 2], [0, 0])).toEqual({ value: 0, gradient: [0, 0] });
  }
});

test("masking positions is dropping them", () => {
  const full = reduceRow(maskedMean, [3, 1, 4, 1, 5], [1, 1, 0, 1, 0]).value;
  expect(full).toBe(reduceRow(maskedMean, [3, 1, 1], [1, 1, 1]).value);
});

test("each allocates exactly one tensor", () => {
  const [values, mask] = [tf.ones<tf.Rank.R2>([2, 3]), tf.ones<tf.Rank.R2>([2, 3])];
  for (const reduce of [maskedSum, maskedMean]) {
    const before = tf.memory().numTensors;
    const result = reduce(values, mask);
    expect(tf.memory().numTensors - before).toBe(1);
    expect(result.shape).toEqual([]);
    result.dispose();
  }
  tf.dispose([values, mask]);
});

test("a mask of another shape is refused", () => {
  const [values, mask] = [tf.ones<tf.Rank.R2>([2, 3]), tf.ones<tf.Rank.R2>([2, 4])];
  expect(() => maskedSum(values, mask)).toThrow("mask has shape [2, 4]");
  tf.dispose([values, mask]);
});
