import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";

type SwigluInputs = { gate: tf.Tensor; up: tf.Tensor };

function compute({ gate, up }: SwigluInputs): tf.Tensor {
  return gate.mul(gate.sigmoid()).mul(up);
}

/** `[dgate, dup]`. */
const gradient = defineKernel<{ dy: tf.Tensor } & SwigluInputs, object>(
  "PupilSwigluGrad",
  ({ dy, gate, up }) => {
    const sigmoid = gate.sigmoid();
    const silu = gate.mul(sigmoid);
    // silu' = σ(1 + g(1 − σ)) = σ + silu − silu·σ
    const slope = sigmoid.add(silu.sub(silu.mul(sigmoid)));
    return [dy.mul(up).mul(slope), dy.mul(silu)];
  },
);

const op = defineOp<SwigluInputs, object>({
  name: "PupilSwiglu",
  reference: compute,
  forward: (inputs) => [compute(inputs)],
  gradients: (dy, { inputs }) => {
    const [dgate, dup] = gradient({ dy, ...inputs }, {});
    return { gate: () => dgate as tf.Tensor, up: () => dup as tf.Tensor };
  },
});

/**
 * Gated activation of Llama's MLP: `silu(gate) · up` with `silu(g) = g · sigmoid(g)`; equal shapes.
 *
 * Source: Shazeer 2020, arXiv 2002.05202, eq. 6.
 */
export function swiglu(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return op({ gate, up }, {});
}

swiglu.definition = op.definition;
