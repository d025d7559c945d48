import * as tf from "@tensorflow/tfjs-core";
import type { LanguageModel } from "../../models/index.js";
import { readValues } from "../../tensors/index.js";
import { type ExactLanguage, normalizeLogProbs, stateAfter } from "./exact-language.js";

/**
 * Log-probabilities `[V]` of the token that follows each of some prefixes, all of one length: what
 * divergences between sequences are computed from.
 */
export type NextLogProbs = (
  prefixes: readonly (readonly number[])[],
) => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>;

/** A language's log-probabilities of the next token (nats, `[V]`) after any prefix of ids. */
export function languageLogProbs<S>(language: ExactLanguage<S>): NextLogProbs {
  return (prefixes) => prefixes.map((ids) => language.logProbs(stateAfter(language, ids)));
}

/**
 * A model's log-probabilities, its float32 logits normalized in float64.
 *
 * @param batchSize prefixes per forward pass
 */
export function modelLogProbs(model: LanguageModel, batchSize = 256): NextLogProbs {
  const { vocabSize } = model.config;
  return async (prefixes) => {
    const rows: Float64Array[] = [];
    for (let start = 0; start < prefixes.length; start += batchSize) {
      const part = prefixes.slice(start, start + batchSize).map((ids) => [...ids]);
      const logits = tf.tidy(() => {
        const inputIds = tf.tensor2d(part, [part.length, part[0]?.length ?? 0], "int32");
        return model.forward({ inputIds }, undefined, { lastPositionOnly: true });
      });
      const values = await readValues(logits, "float32");
      for (let row = 0; row < part.length; row++) {
        const own = values.subarray(row * vocabSize, (row + 1) * vocabSize);
        rows.push(normalizeLogProbs(Float64Array.from(own)));
      }
    }
    return rows;
  };
}
