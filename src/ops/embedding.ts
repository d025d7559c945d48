import * as tf from "@tensorflow/tfjs";
import { defineKernel, defineOp } from "./define.js";

function compute({ weight, ids }: { weight: tf.Tensor2D; ids: tf.Tensor }): tf.Tensor {
  const flat = tf.gather(weight, ids.flatten().toInt());
  return flat.reshape([...ids.shape, weight.shape[1]]);
}

const gradientOfWeight = defineKernel<
  { dy: tf.Tensor; ids: tf.Tensor },
  { vocabularySize: number }
>("PupilEmbeddingGrad", ({ dy, ids }, { vocabularySize }) => [
  tf.matMul(
    tf.oneHot(ids.flatten().toInt(), vocabularySize).toFloat() as tf.Tensor2D,
    dy.reshape([ids.size, -1]) as tf.Tensor2D,
    true,
    false,
  ),
]);

const op = defineOp<{ weight: tf.Tensor2D; ids: tf.Tensor }, object>({
  name: "PupilEmbedding",
  reference: compute,
  forward: (inputs) => [compute(inputs)],
  gradients: (dy, { inputs: { weight, ids } }) => ({
    weight: () =>
      gradientOfWeight({ dy, ids }, { vocabularySize: weight.shape[0] })[0] as tf.Tensor,
    ids: () => tf.zerosLike(ids).toFloat(),
  }),
});

/**
 * Rows of `weight` `[V, D]` by int32 ids `[...]`: `[..., D]`. The gradient adds up the rows of equal
 * ids in a fixed order, so that it is the same from run to run.
 */
export function embedding(weight: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  return op({ weight, ids }, {});
}

embedding.definition = op.definition;
