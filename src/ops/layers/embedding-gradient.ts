import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, registerOpKernel } from "../define.js";
import { oneHot } from "./one-hot.js";

/** Gradient of the looked-up rows `[..., D]`, and the ids `[...]` they were looked up by. */
type Inputs = { dy: tf.Tensor; ids: tf.Tensor };
interface Attributes {
  readonly vocabularySize: number;
}

/** Rows of the comparison matrix made at once: bounds it to 4 MB per thousand ids. */
const chunkRows = 1024;

/**
 * Gradient `[V, D]` of an embedding table: for every id, the sum of the rows of `dy` at that id.
 * It must not depend on the order in which a device happens to add (WebGPU's and CUDA's segment sum
 * use atomics), hence two ways, both of products and sums in a fixed order.
 */
export function composedEmbeddingGradient(
  { dy, ids }: Inputs,
  { vocabularySize }: Attributes,
): tf.Tensor {
  const count = ids.size;
  const rows = dy.reshape([count, -1]) as tf.Tensor2D;
  const flat = ids.flatten().toInt() as tf.Tensor1D;
  if (vocabularySize <= count) {
    return tf.matMul(oneHot(flat, vocabularySize) as tf.Tensor2D, rows, true, false);
  }
  // A large vocabulary: the first occurrence of an id gets the sum over all of its occurrences, the
  // others get 0. A segment sum then adds one number and zeros, exact in any order.
  const totals = [];
  for (let start = 0; start < count; start += chunkRows) {
    const size = Math.min(chunkRows, count - start);
    const same = tf.equal(flat.slice(start, size).expandDims(1), flat).toFloat() as tf.Tensor2D;
    const before = tf.less(tf.range(0, count), tf.range(start, start + size).expandDims(1));
    const isFirst = tf.equal(same.mul(before.toFloat()).sum(1, true), 0);
    totals.push(tf.matMul(same, rows).mul(isFirst.toFloat()) as tf.Tensor2D);
  }
  return tf.unsortedSegmentSum(tf.concat(totals), flat, vocabularySize);
}

/** Adds the rows up one by one on the host, where the tensors of this backend lie anyway. */
function scatterAdd({ dy, ids }: Inputs, { vocabularySize }: Attributes): tf.Tensor {
  const width = dy.size / ids.size;
  const rows = tf.backend().readSync(dy.dataId) as Float32Array;
  const positions = tf.backend().readSync(ids.dataId) as Int32Array;
  const sums = new Float32Array(vocabularySize * width);
  for (let i = 0; i < positions.length; i++) {
    const source = i * width;
    const target = (positions[i] as number) * width;
    for (let d = 0; d < width; d++) {
      sums[target + d] = (sums[target + d] as number) + (rows[source + d] as number);
    }
  }
  return tf.tensor2d(sums, [vocabularySize, width]);
}

export const embeddingGradient = defineKernel<Inputs, Attributes>(
  "PupilEmbeddingGrad",
  (inputs, attributes) => [composedEmbeddingGradient(inputs, attributes)],
);
registerOpKernel<Inputs, Attributes>("PupilEmbeddingGrad", "cpu", (inputs, attributes) => [
  scatterAdd(inputs, attributes),
]);
