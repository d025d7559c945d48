import type * as tf from "@tensorflow/tfjs-core";
import { columnSums } from "../column-sums.js";
import { defineKernel, defineOp } from "../define.js";

interface NormAttributes {
  readonly epsilon: number;
}
type LayerNormInputs = { x: tf.Tensor; weight: tf.Tensor1D; bias: tf.Tensor1D };

/** Mean and `1 / sqrt(variance + epsilon)` over the last axis, which stays with size 1. */
function moments(x: tf.Tensor, epsilon: number): { mean: tf.Tensor; scale: tf.Tensor } {
  const mean = x.mean(-1, true);
  return { mean, scale: x.sub(mean).square().mean(-1, true).add(epsilon).rsqrt() };
}

function affine(normalized: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return normalized.mul(weight).add(bias);
}

/** `[dx, dweight, dbias]`; `mean` and `scale` are what the forward kernel saved. */
const gradient = defineKernel<
  { dy: tf.Tensor; x: tf.Tensor; weight: tf.Tensor1D; mean: tf.Tensor; scale: tf.Tensor },
  NormAttributes
>("PupilLayerNormGrad", ({ dy, x, weight, mean, scale }) => {
  const normalized = x.sub(mean).mul(scale);
  const g = dy.mul(weight);
  const projection = g.mul(normalized).mean(-1, true);
  const centred = g.sub(g.mean(-1, true));
  const dx = centred.sub(normalized.mul(projection)).mul(scale);
  const dweight = columnSums(dy.mul(normalized));
  const dbias = columnSums(dy);
  return [dx, dweight, dbias];
});

const op = defineOp<LayerNormInputs, NormAttributes>({
  name: "PupilLayerNorm",
  reference: ({ x, weight, bias }, { epsilon }) => {
    const { mean, scale } = moments(x, epsilon);
    return affine(x.sub(mean).mul(scale), weight, bias);
  },
  forward: ({ x, weight, bias }, { epsilon }) => {
    const { mean, scale } = moments(x, epsilon);
    return [affine(x.sub(mean).mul(scale), weight, bias), mean, scale];
  },
  gradients: (dy, { inputs: { x, weight }, extras: [mean, scale] }, { epsilon }) => {
    const inputs = { dy, x, weight, mean: mean as tf.Tensor, scale: scale as tf.Tensor };
    const [dx, dweight, dbias] = gradient(inputs, { epsilon });
    return {
      x: () => dx as tf.Tensor,
      weight: () => dweight as tf.Tensor,
      bias: () => dbias as tf.Tensor,
    };
  },
});

/**
 * Layer norm of the last axis: `(x − mean) / sqrt(variance + epsilon) · weight + bias`, with the
 * biased variance; x `[..., D]`, weight and bias `[D]`.
 *
 * Source: Ba, Kiros & Hinton 2016, arXiv 1607.06450.
 */
export function layerNorm(
  x: tf.Tensor,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): tf.Tensor {
  return op({ x, weight, bias }, { epsilon });
}

layerNorm.definition = op.definition;
