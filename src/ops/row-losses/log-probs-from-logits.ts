import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";
import {
  composedLogSoftmax,
  distribution,
  softmax,
  type TemperatureAttributes,
} from "./divergence.js";
import { requireTemperature } from "./temperature.js";

type LogProbsInputs = { logits: tf.Tensor };

/** dy `[..., V]` to the gradient of the logits, `(dy − softmax · Σ dy) / temperature`. */
const gradient = defineKernel<LogProbsInputs & { dy: tf.Tensor }, TemperatureAttributes>(
  "PupilLogProbsGrad",
  ({ dy, logits }, { temperature }) => {
    const pulled = softmax(logits, temperature).mul(dy.sum(-1, true));
    return [dy.sub(pulled).div(temperature)];
  },
);

const op = defineOp<LogProbsInputs, TemperatureAttributes>({
  name: "PupilLogProbs",
  reference: ({ logits }, { temperature }) => composedLogSoftmax(logits, temperature),
  forward: ({ logits }, { temperature }) => [distribution(logits, temperature).logProbs],
  gradients: (dy, { inputs }, { temperature }) => ({
    logits: () => gradient({ dy, ...inputs }, { temperature })[0] as tf.Tensor,
  }),
});

/**
 * Log-probabilities of the whole vocabulary, `log softmax(logits / temperature)`: `[B, T, V]` to the
 * same. Finite for finite logits: −1e9 gives about −1e9 and a probability of 0. −Infinity stays.
 */
export function logProbsFromLogits(
  logits: tf.Tensor3D,
  options: { readonly temperature?: number } = {},
): tf.Tensor3D {
  const { temperature = 1 } = options;
  requireTemperature(temperature);
  return op({ logits }, { temperature }) as tf.Tensor3D;
}

logProbsFromLogits.definition = op.definition;
