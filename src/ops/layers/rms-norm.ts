import type * as tf from "@tensorflow/tfjs-core";
import { columnSums } from "../column-sums.js";
import { defineKernel, defineOp } from "../define.js";

interface NormAttributes {
  readonly epsilon: number;
}
type RmsNormInputs = { x: tf.Tensor; weight: tf.Tensor1D };

/** `1 / sqrt(mean(x²) + epsilon)` over the last axis, which stays with size 1. */
function inverseRms(x: tf.Tensor, epsilon: number): tf.Tensor {
  return x.square().mean(-1, true).add(epsilon).rsqrt();
}

/** `[dx, dweight]`; `scale` is what the forward kernel saved. */
const gradient = defineKernel<
  { dy: tf.Tensor; x: tf.Tensor; weight: tf.Tensor1D; scale: tf.Tensor },
  NormAttributes
>("PupilRmsNormGrad", ({ dy, x, weight, scale }) => {
  const normalized = x.mul(scale);
  const g = dy.mul(weight);
  const projection = g.mul(normalized).mean(-1, true);
  const dx = g.sub(normalized.mul(projection)).mul(scale);
  const dweight = columnSums(dy.mul(normalized));
  return [dx, dweight];
});

const op = defineOp<RmsNormInputs, NormAttributes>({
  name: "PupilRmsNorm",
  reference: ({ x, weight }, { epsilon }) => x.mul(inverseRms(x, epsilon)).mul(weight),
  forward: ({ x, weight }, { epsilon }) => {
    const scale = inverseRms(x, epsilon);
    return [x.mul(scale).mul(weight), scale];
  },
  gradients: (dy, { inputs: { x, weight }, extras: [scale] }, { epsilon }) => {
    const inputs = { dy, x, weight, scale: scale as tf.Tensor };
    const [dx, dweight] = gradient(inputs, { epsilon });
    return { x: () => dx as tf.Tensor, weight: () => dweight as tf.Tensor };
  },
});

/**
 * Root mean square norm of the last axis: `x / sqrt(mean(x²) + epsilon) · weight`, x `[..., D]`,
 * weight `[D]`.
 *
 * Source: Zhang & Sennrich 2019, arXiv 1910.07467; epsilon inside the root, as in Llama.
 */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor1D, epsilon: number): tf.Tensor {
  return op({ x, weight }, { epsilon });
}

rmsNorm.definition = op.definition;
