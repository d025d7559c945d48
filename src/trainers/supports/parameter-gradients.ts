import * as tf from "@tensorflow/tfjs-core";
import { makeBatch, type TokenSequence } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import { reachedGradients, readValues } from "../../tensors/index.js";

/** Learned positions of a row at which the models are compared: indices of the logits. */
export interface ComparedRow {
  readonly row: TokenSequence;
  readonly positions: readonly number[];
}

/**
 * Turns gradients with respect to the student's logits at some positions into those with respect to its
 * trainable parameters: Jᵀ g, where J is the Jacobian of the logits. Linear, as the chain rule is: the bias
 * and the variance of the one become those of the other.
 *
 * @returns a function of `[N, V]`, positions in the order of the rows, that gives all parameters one after
 *   the other
 */
export function parameterGradients(
  student: LanguageModel,
  rows: readonly ComparedRow[],
  padId: number,
): (ofLogits: Float32Array) => Promise<Float32Array> {
  const { vocabSize: V } = student.config;
  const variables = [...student.trainableParameters().values()];
  return async (ofLogits) => {
    using batch = makeBatch(
      rows.map(({ row }) => row),
      padId,
    );
    const places = rows.flatMap(({ positions }, i) =>
      positions.map((position) => i * batch.sequenceLength + position),
    );
    const joined = tf.tidy(() => {
      const given = tf.tensor2d(ofLogits, [places.length, V]);
      const at = tf.tensor1d(places, "int32");
      const { gradients } = reachedGradients(
        () =>
          tf
            .gather(student.forward(batch).reshape([-1, V]), at)
            .mul(given)
            .sum<tf.Scalar>(),
        variables,
      );
      return tf.concat(
        variables.map((variable, i) => (gradients[i] ?? tf.zerosLike(variable)).flatten()),
      );
    });
    return readValues(joined, "float32") as Promise<Float32Array>;
  };
}
