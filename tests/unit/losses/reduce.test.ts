import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  guidedPolicyGradientLoss,
  maskedMean,
  maskedSum,
  negativeEntropyLoss,
  policyGradientLoss,
  rowWeights,
} from "../../../src/losses/index.js";

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

test("a mask of weights multiplies", () => {
  const { value, gradient } = reduceRow(maskedSum, [1, 2, 4], [0.5, 0, 2]);
  expect(value).toBe(8.5);
  expect(gradient).toEqual([0.5, 0, 2]);
});

describe("weights of rows with 4, 0 and 2 tokens", () => {
  const tokens = [4, 0, 2];

  test.each([
    ["token", { weights: [1, 0, 1], count: 6 }],
    ["sequence", { weights: [1 / 4, 0, 1 / 2], count: 2 }],
    [{ fixedLength: 8 }, { weights: [1 / 8, 0, 1 / 8], count: 2 }],
  ] as const)("per token, averaged by %o", (aggregation, expected) => {
    expect(rowWeights("token", aggregation, tokens)).toEqual(expected);
  });

  test("per row every row that counts is one, whatever the aggregation", () => {
    for (const aggregation of ["token", "sequence", { fixedLength: 8 }] as const) {
      expect(rowWeights("row", aggregation, tokens)).toEqual({ weights: [1, 0, 1], count: 2 });
    }
  });

  test("no rows, no count", () => {
    expect(rowWeights("token", "token", [0])).toEqual({ weights: [0], count: 0 });
  });
});

test.each([policyGradientLoss, guidedPolicyGradientLoss, negativeEntropyLoss])(
  "$name is averaged as its options say",
  ({ aggregation, config }) => {
    const aggregationOf = (options: object) => aggregation?.(config.parse(options) as never);
    expect(aggregationOf({})).toBe("token");
    expect(aggregationOf({ aggregation: "sequence" })).toBe("sequence");
    const fixed = { aggregation: "fixed-length", fixedLength: 4 };
    expect(aggregationOf(fixed)).toEqual({ fixedLength: 4 });
  },
);
