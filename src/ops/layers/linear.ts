import * as tf from "@tensorflow/tfjs-core";
import { columnSums } from "../column-sums.js";
import { defineKernel, defineOp } from "../define.js";

/**
 * Which way round the weight matrix lies: `out-in` `[O, I]` as PyTorch's `Linear`, `in-out`
 * `[I, O]` as GPT-2's `Conv1D`.
 */
export type WeightLayout = "out-in" | "in-out";

interface LinearAttributes {
  readonly weightLayout: WeightLayout;
}
type LinearInputs = { x: tf.Tensor; weight: tf.Tensor2D; bias?: tf.Tensor1D };

function rows(x: tf.Tensor): tf.Tensor2D {
  return x.reshape([-1, x.shape[x.rank - 1] as number]);
}

function compute({ x, weight, bias }: LinearInputs, { weightLayout }: LinearAttributes): tf.Tensor {
  const transposed = weightLayout === "out-in";
  const size = weight.shape[transposed ? 0 : 1];
  const product = tf.matMul(rows(x), weight, false, transposed);
  const y = bias === undefined ? product : product.add(bias);
  return y.reshape([...x.shape.slice(0, -1), size]);
}

/** dy `[..., O]`, weight to the gradient of x, `[..., I]`. */
const gradientOfInput = defineKernel<{ dy: tf.Tensor; weight: tf.Tensor2D }, LinearAttributes>(
  "PupilLinearGradInput",
  ({ dy, weight }, { weightLayout }) => {
    const transposed = weightLayout === "in-out";
    const size = weight.shape[transposed ? 0 : 1];
    const dx = tf.matMul(rows(dy), weight, false, transposed);
    return [dx.reshape([...dy.shape.slice(0, -1), size])];
  },
);

/** dy `[..., O]`, x `[..., I]` to the gradient of the weight in its layout. */
const gradientOfWeight = defineKernel<{ dy: tf.Tensor; x: tf.Tensor }, LinearAttributes>(
  "PupilLinearGradWeight",
  ({ dy, x }, { weightLayout }) => [
    weightLayout === "out-in"
      ? tf.matMul(rows(dy), rows(x), true, false)
      : tf.matMul(rows(x), rows(dy), true, false),
  ],
);

/** dy `[..., O]` to the gradient of the bias, `[O]`. */
const gradientOfBias = defineKernel<{ dy: tf.Tensor }, object>("PupilLinearGradBias", ({ dy }) => [
  columnSums(dy),
]);

const op = defineOp<LinearInputs, LinearAttributes>({
  name: "PupilLinear",
  reference: compute,
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs: { x, weight } }, { weightLayout }) => ({
    x: () => gradientOfInput({ dy, weight }, { weightLayout })[0] as tf.Tensor,
    weight: () => gradientOfWeight({ dy, x }, { weightLayout })[0] as tf.Tensor,
    bias: () => gradientOfBias({ dy }, {})[0] as tf.Tensor,
  }),
});

/**
 * Affine map of the last axis: `y = x Wᵀ + b` for a weight `[O, I]` (`out-in`, the default), or
 * `y = x W + b` for `[I, O]` (`in-out`). x is `[..., I]`, the result `[..., O]`.
 */
export function linear(
  x: tf.Tensor,
  weight: tf.Tensor2D,
  bias?: tf.Tensor1D,
  options: { readonly weightLayout?: WeightLayout } = {},
): tf.Tensor {
  const { weightLayout = "out-in" } = options;
  return op(bias === undefined ? { x, weight } : { x, weight, bias }, { weightLayout });
}

linear.definition = op.definition;
