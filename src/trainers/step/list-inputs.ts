import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import type { ListScores } from "../../losses/index.js";
import type { SequenceModel } from "../../models/index.js";
import { bucketedRows } from "../../tensors/index.js";

/** The lists of a micro-batch, whose candidates follow each other as the rows of its batch. */
export interface ListBatch {
  /** Candidates of each list. */
  readonly sizes: readonly number[];
  /** By what they are, the scores to learn from: of every list, in the order of its candidates. */
  readonly scores: Readonly<Partial<Record<ListScores, readonly (readonly number[])[]>>>;
}

/** Lists as tensors. */
export interface ListTensors {
  /** `[B·N, R]`, 1 where a row of the batch is the candidate at that place of the lists. */
  readonly spread: tf.Tensor2D;
  /** `[B, N]`, 1 where a list has a candidate. */
  readonly listMask: tf.Tensor2D;
  /** By term, the scores to learn from, `[B, N]`. */
  readonly scores: readonly tf.Tensor2D[];
}

/**
 * @param rows of the batch
 * @param which scores each term learns from
 */
export function listTensors(
  { sizes, scores }: ListBatch,
  rows: number,
  which: readonly ListScores[],
): ListTensors {
  const width = bucketedRows(Math.max(...sizes));
  const padded = (lists: readonly (readonly number[])[]) =>
    tf.tensor2d(lists.map((list) => Array.from({ length: width }, (_, i) => list[i] ?? 0)));
  return {
    spread: spreadOf(sizes, width, rows),
    listMask: padded(sizes.map((size) => Array.from({ length: size }, () => 1))),
    scores: which.map((name) => {
      const given = scores[name];
      if (given === undefined) throw new Error(`There are no scores "${name}" of these lists.`);
      return padded(given);
    }),
  };
}

function spreadOf(sizes: readonly number[], width: number, rows: number): tf.Tensor2D {
  const places = sizes.flatMap((size, list) => {
    return Array.from({ length: size }, (_, i) => list * width + i);
  });
  const isAt = new Float32Array(sizes.length * width * rows);
  for (const [row, place] of places.entries()) isAt[place * rows + row] = 1;
  return tf.tensor2d(isAt, [sizes.length * width, rows]);
}

/** The student's scores of a batch's rows as lists `[B, N]`, 0 where a list has no candidate. */
export function studentScores(
  student: SequenceModel,
  { inputIds, attentionMask }: Pick<Batch, "inputIds" | "attentionMask">,
  { spread, listMask }: Pick<ListTensors, "spread" | "listMask">,
): tf.Tensor2D {
  // A product with a mask, since not every backend has a gradient for a scatter.
  const scores = student.forward({ inputIds, attentionMask });
  return tf.matMul(spread, scores).reshape(listMask.shape);
}
