import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../tensors/index.js";
import { defineKernel, defineOp } from "./define.js";

type MaskedSumInputs = { values: tf.Tensor; mask: tf.Tensor };

function counted({ values, mask }: MaskedSumInputs): tf.Tensor {
  return tf.where(tf.notEqual(mask, 0), values, tf.zerosLike(values));
}

const compute = (inputs: MaskedSumInputs) => counted(inputs).mul(inputs.mask).sum();

const gradientOfValues = defineKernel<{ dy: tf.Tensor; mask: tf.Tensor }, object>(
  "PupilMaskedSumGrad",
  ({ dy, mask }) => [mask.mul(dy)],
);

const op = defineOp<MaskedSumInputs, object>({
  name: "PupilMaskedSum",
  reference: compute,
  forward: (inputs) => [compute(inputs)],
  gradients: (dy, { inputs }) => ({
    values: () => gradientOfValues({ dy, mask: inputs.mask }, {})[0] as tf.Tensor,
    mask: () => counted(inputs).mul(dy),
  }),
});

/**
 * `Σ mask · values` over the entries whose mask is not 0. What a masked entry holds counts for nothing, NaN and infinite ones
 * too, and its gradient is 0.
 *
 * @param values `[B, T]` or `[B]`
 * @param mask of the same shape
 */
export function maskedSum<T extends tf.Tensor2D | tf.Tensor1D>(values: T, mask: T): tf.Scalar {
  const shape = values.rank === 1 ? "B" : "B T";
  assertShape({ values, mask }, { values: shape, mask: shape });
  return op({ values, mask }, {}) as tf.Scalar;
}

maskedSum.definition = op.definition;
