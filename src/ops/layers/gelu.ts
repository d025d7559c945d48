import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";

/** `tanh` is GPT-2's `gelu_new`; `none` is the exact function with erf. */
export type GeluApproximation = "tanh" | "none";

interface GeluAttributes {
  readonly approximation: GeluApproximation;
}
const cubic = 0.044715;
/** `(1 + tanh(u)) / 2 = sigmoid(2u)`, which is the faster of the two on wasm: the factor of u. */
const slope = 2 * Math.sqrt(2 / Math.PI);

/** `Φ(x)` or its approximation: gelu is `x · Φ(x)`. */
function gate(x: tf.Tensor, approximation: GeluApproximation): tf.Tensor {
  return approximation === "none"
    ? x.mul(Math.SQRT1_2).erf().add(1).mul(0.5)
    : x
        .square()
        .mul(slope * cubic)
        .add(slope)
        .mul(x)
        .sigmoid();
}

/** The derivative of the gate, given its value. */
function gateSlope(x: tf.Tensor, value: tf.Tensor, approximation: GeluApproximation): tf.Tensor {
  if (approximation === "none") {
    const density = x.square().mul(-0.5).exp();
    return density.mul(1 / Math.sqrt(2 * Math.PI));
  }
  const inner = x
    .square()
    .mul(3 * slope * cubic)
    .add(slope);
  return value.sub(value.square()).mul(inner);
}

const gradient = defineKernel<{ dy: tf.Tensor; x: tf.Tensor }, GeluAttributes>(
  "PupilGeluGrad",
  ({ dy, x }, { approximation }) => {
    const value = gate(x, approximation);
    return [gateSlope(x, value, approximation).mul(x).add(value).mul(dy)];
  },
);

/** From the definition, with tanh. */
function reference(x: tf.Tensor, approximation: GeluApproximation): tf.Tensor {
  if (approximation === "none") return x.mul(gate(x, approximation));
  const inner = x.add(x.pow(3).mul(cubic)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

const op = defineOp<{ x: tf.Tensor }, GeluAttributes>({
  name: "PupilGelu",
  reference: ({ x }, { approximation }) => reference(x, approximation),
  forward: ({ x }, { approximation }) => [x.mul(gate(x, approximation))],
  gradients: (dy, { inputs: { x } }, { approximation }) => ({
    x: () => gradient({ dy, x }, { approximation })[0] as tf.Tensor,
  }),
});

/**
 * Gaussian error linear unit, `x · Φ(x)`. The default approximation is
 * `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
 *
 * Source: Hendrycks & Gimpel 2016, arXiv 1606.08415.
 */
export function gelu(
  x: tf.Tensor,
  options: { readonly approximation?: GeluApproximation } = {},
): tf.Tensor {
  const { approximation = "tanh" } = options;
  return op({ x }, { approximation });
}

gelu.definition = op.definition;
