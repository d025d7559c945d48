import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";

function compute(x: tf.Tensor): tf.Tensor {
  return x.mul(x.sigmoid());
}

const gradient = defineKernel<{ dy: tf.Tensor; x: tf.Tensor }, object>(
  "PupilSiluGrad",
  ({ dy, x }) => {
    const sigmoid = x.sigmoid();
    // silu' = σ(1 + x(1 − σ))
    return [sigmoid.neg().add(1).mul(x).add(1).mul(sigmoid).mul(dy)];
  },
);

const op = defineOp<{ x: tf.Tensor }, object>({
  name: "PupilSilu",
  reference: ({ x }) => compute(x),
  forward: ({ x }) => [compute(x)],
  gradients: (dy, { inputs: { x } }) => ({ x: () => gradient({ dy, x }, {})[0] as tf.Tensor }),
});

/** Sigmoid-weighted linear unit, `x · sigmoid(x)` (also called swish). */
export function silu(x: tf.Tensor): tf.Tensor {
  return op({ x }, {});
}

silu.definition = op.definition;
