import type * as tf from "@tensorflow/tfjs";
import { defineKernel, defineOp } from "./define.js";

/** `tanh` is GPT-2's `gelu_new`; `none` is the exact function with erf. */
export type GeluApproximation = "tanh" | "none";

interface GeluAttributes {
  readonly approximation: GeluApproximation;
}
const cubic = 0.044715;
const rootTwoOverPi = Math.sqrt(2 / Math.PI);

/** `Φ(x)`, or its approximation, for which gelu is `x · Φ(x)`. */
function gate(x: tf.Tensor, approximation: GeluApproximation): tf.Tensor {
  if (approximation === "none") return x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
  return tanhArgument(x).tanh().add(1).mul(0.5);
}

function tanhArgument(x: tf.Tensor): tf.Tensor {
  return x.square().mul(cubic).add(1).mul(x).mul(rootTwoOverPi);
}

const gradient = defineKernel<{ dy: tf.Tensor; x: tf.Tensor }, GeluAttributes>(
  "PupilGeluGrad",
  ({ dy, x }, { approximation }) => {
    if (approximation === "none") {
      const density = x
        .square()
        .mul(-0.5)
        .exp()
        .mul(1 / Math.sqrt(2 * Math.PI));
      return [gate(x, approximation).add(x.mul(density)).mul(dy)];
    }
    const tanh = tanhArgument(x).tanh();
    const slope = x
      .square()
      .mul(3 * cubic)
      .add(1)
      .mul(rootTwoOverPi);
    const inner = tanh.square().neg().add(1).mul(slope).mul(x);
    return [tanh.add(1).add(inner).mul(0.5).mul(dy)];
  },
);

const op = defineOp<{ x: tf.Tensor }, GeluAttributes>({
  name: "PupilGelu",
  reference: ({ x }, { approximation }) => x.mul(gate(x, approximation)),
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
