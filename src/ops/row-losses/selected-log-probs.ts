import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { defineKernel, defineOp } from "../define.js";
import {
  composedLogSoftmax,
  distribution,
  softmax,
  type TemperatureAttributes,
} from "./divergence.js";
import { oneHot } from "../layers/one-hot.js";
import { requireTemperature } from "./temperature.js";

type SelectedInputs = { logits: tf.Tensor; ids: tf.Tensor };

/** Ids `[..., K]` as positions in the flattened `[..., V]`. */
function flatPositions(ids: tf.Tensor, V: number): tf.Tensor1D {
  const K = ids.shape[ids.rank - 1] as number;
  const rows = ids.size / Math.max(1, K);
  const rowStarts = tf.range(0, rows, 1, "int32").mul(tf.scalar(V, "int32")).reshape([rows, 1]);
  return rowStarts
    .add(ids.toInt().reshape([rows, K]))
    .toInt()
    .flatten();
}

const sizeOfVocabulary = (logits: tf.Tensor) => logits.shape[logits.rank - 1] as number;

/**
 * Adds values `[..., K]` up at their ids, to `[..., V]`: an id that occurs twice gets both. Not
 * differentiable.
 */
export function scatterToVocabulary(values: tf.Tensor, ids: tf.Tensor, V: number): tf.Tensor {
  const positions = flatPositions(ids, V).expandDims<tf.Tensor2D>(1);
  const shape = [...ids.shape.slice(0, -1), V];
  const size = shape.reduce((product, axis) => product * axis, 1);
  return tf.scatterND(positions, values.flatten(), [size]).reshape(shape);
}

/** dy `[..., K]` to the gradient of the logits, `(scatter(dy) − softmax · Σ dy) / temperature`. */
const gradient = defineKernel<SelectedInputs & { dy: tf.Tensor }, TemperatureAttributes>(
  "PupilSelectedLogProbsGrad",
  ({ dy, logits, ids }, { temperature }) => {
    const scattered = scatterToVocabulary(dy, ids, sizeOfVocabulary(logits));
    const pulled = softmax(logits, temperature).mul(scattered.sum(-1, true));
    return [scattered.sub(pulled).div(temperature)];
  },
);

const op = defineOp<SelectedInputs, TemperatureAttributes>({
  name: "PupilSelectedLogProbs",
  reference: ({ logits, ids }, { temperature }) => {
    const selected = oneHot(ids, sizeOfVocabulary(logits));
    return selected.mul(composedLogSoftmax(logits, temperature).expandDims(-2)).sum(-1);
  },
  forward: ({ logits, ids }, { temperature }) => {
    const { logProbs } = distribution(logits, temperature);
    const positions = flatPositions(ids, sizeOfVocabulary(logits));
    return [tf.gather(logProbs.flatten(), positions).reshape(ids.shape)];
  },
  gradients: (dy, { inputs }, { temperature }) => ({
    logits: () => gradient({ dy, ...inputs }, { temperature })[0] as tf.Tensor,
    ids: () => tf.zerosLike(inputs.ids).toFloat(),
  }),
});

/**
 * Log-probabilities of some tokens of the vocabulary at every position,
 * `log softmax(logits / temperature)[id]`: logits `[B, T, V]`, ids `[B, T, K]` int32, result
 * `[B, T, K]`. An id may occur more than once.
 */
export function selectedLogProbs(
  logits: tf.Tensor3D,
  ids: tf.Tensor3D,
  options: { readonly temperature?: number } = {},
): tf.Tensor3D {
  const { temperature = 1 } = options;
  assertShape({ logits, ids }, { logits: "B T V", ids: "B T K" });
  requireTemperature(temperature);
  return op({ logits, ids }, { temperature }) as tf.Tensor3D;
}

selectedLogProbs.definition = op.definition;
