import * as tf from "@tensorflow/tfjs-core";
import { makeBatch, type PlacedSequence } from "../data/index.js";
import type { LanguageModel } from "../models/index.js";
import { tokenLogProbs } from "../ops/index.js";
import { readValues } from "../tensors/index.js";

export interface ScoredIds {
  readonly promptIds: readonly number[];
  readonly completionIds: readonly number[];
}

/** Rows per forward pass, and logits: large vocabularies take fewer rows. */
const rowsPerPass = 64;
const logitsPerPass = 2 ** 24;

/**
 * Log-probability of every completion token under a model, given what stands before it. One pass per
 * row, several rows together; no gradient.
 */
export async function scoreCompletions(
  model: LanguageModel,
  rows: readonly ScoredIds[],
  padId: number,
): Promise<number[][]> {
  const scores: number[][] = [];
  const longest = rows.reduce(
    (most, { promptIds, completionIds }) => Math.max(most, promptIds.length + completionIds.length),
    1,
  );
  const together = Math.floor(logitsPerPass / (longest * model.config.vocabSize));
  const count = Math.min(rowsPerPass, Math.max(1, together));
  for (let start = 0; start < rows.length; start += count) {
    const sequences = rows.slice(start, start + count).map(({ promptIds, completionIds }) => ({
      ids: [...promptIds, ...completionIds],
      completionStart: promptIds.length,
    }));
    using batch = makeBatch(sequences, padId);
    const scored = tf.tidy(() => tokenLogProbs(model.forward(batch), batch.labels));
    const values = await readValues(scored, "float32");
    const T = batch.sequenceLength;
    for (const { row, ids, completionStart } of batch.sequences as readonly PlacedSequence[]) {
      scores.push([...values.subarray(row * T + completionStart - 1, row * T + ids.length - 1)]);
    }
  }
  return scores;
}
