import type * as tf from "@tensorflow/tfjs-core";
import { maskedSum } from "../../../../src/ops/index.js";
import { at, fromValues } from "../reference/array.js";
import { input, integers, normals, type OpCase } from "./op-case.js";

// Weights of 0, 1 and 2. The mask's own gradient is no difference quotient where it is 0: what it masks counts for nothing.
export const reductionCases: readonly OpCase[] = ([[2, 5], [7], [1, 1], [3, 300]] as const).map(
  (shape): OpCase => ({
    op: "maskedSum",
    title: `[${shape}]`,
    inputs: { values: normals(shape, "values"), mask: integers(shape, "mask", 3) },
    differentiable: ["values"],
    run: (t) => maskedSum(input(t, "values") as tf.Tensor2D, input(t, "mask") as tf.Tensor2D),
    composed: (t) =>
      maskedSum.definition.reference({ values: input(t, "values"), mask: input(t, "mask") }, {}),
    expected(i) {
      const mask = input(i, "mask");
      const sum = input(i, "values").data.reduce((sum, value, j) => sum + value * at(mask, j), 0);
      return fromValues([], [sum]);
    },
  }),
);
