import * as tf from "@tensorflow/tfjs-core";
import { defineOp } from "../define.js";
import { embeddingGradient } from "./embedding-gradient.js";

type EmbeddingInputs = { weight: tf.Tensor2D; ids: tf.Tensor };

function compute({ weight, ids }: EmbeddingInputs): tf.Tensor {
  const rows = tf.gather(weight, ids.flatten().toInt());
  return rows.reshape([...ids.shape, weight.shape[1]]);
}

const op = defineOp<EmbeddingInputs, object>({
  name: "PupilEmbedding",
  reference: compute,
  forward: (inputs) => [compute(inputs)],
  gradients: (dy, { inputs: { weight, ids } }) => ({
    weight: () =>
      embeddingGradient({ dy, ids }, { vocabularySize: weight.shape[0] })[0] as tf.Tensor,
    ids: () => tf.zerosLike(ids).toFloat(),
  }),
});

/**
 * Rows of `weight` `[V, D]` by int32 ids `[...]`: `[..., D]`. The gradient adds up the rows of equal
 * ids in a fixed order, so that it is the same from run to run.
 */
export function embedding(weight: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  if (ids.dtype !== "int32") throw new Error(`embedding needs int32 ids, got ${ids.dtype}.`);
  return op({ weight, ids }, {});
}

embedding.definition = op.definition;
