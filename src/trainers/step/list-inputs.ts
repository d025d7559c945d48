import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import type { ListScores, LossInputs } from "../../losses/index.js";
import type { SequenceModel } from "../../models/index.js";

/** The lists of a micro-batch, whose candidates follow each other as the rows of its batch. */
export interface ListBatch {
  /** Candidates of each list. */
  readonly sizes: readonly number[];
  /** By what they are, the scores to learn from: of every list, in the order of its candidates. */
  readonly scores: Readonly<Partial<Record<ListScores, readonly (readonly number[])[]>>>;
}

type ListInputs = Pick<LossInputs, "studentScores" | "teacherScores" | "listMask">;

/** The student's scores of a batch's rows as lists `[B, N]`, 0 where a list has no candidate. */
export function studentScores(
  student: SequenceModel,
  batch: Batch,
  { sizes }: ListBatch,
): tf.Tensor2D {
  const { inputIds, attentionMask } = batch;
  const scores = student.forward({ inputIds, attentionMask });
  const width = Math.max(...sizes);
  const rows = sizes.reduce((sum, size) => sum + size, 0);
  const places = sizes.flatMap((size, list) => {
    return Array.from({ length: size }, (_, i) => list * width + i);
  });
  // A product with a mask, since not every backend has a gradient for a scatter.
  const isAt = new Float32Array(sizes.length * width * rows);
  for (const [row, place] of places.entries()) isAt[place * rows + row] = 1;
  const spread = tf.tensor2d(isAt, [sizes.length * width, rows]);
  return tf.matMul(spread, scores).reshape([sizes.length, width]);
}

/** Mask and scores to learn from, `[B, N]`; which ones is said by the term. */
export function givenScores(
  { sizes, scores }: ListBatch,
  which: ListScores,
): Omit<ListInputs, "studentScores"> {
  const width = Math.max(...sizes);
  const given = scores[which];
  if (given === undefined) throw new Error(`There are no scores "${which}" of these lists.`);
  const padded = (rows: readonly (readonly number[])[]) =>
    tf.tensor2d(rows.map((row) => Array.from({ length: width }, (_, i) => row[i] ?? 0)));
  return {
    teacherScores: padded(given),
    listMask: padded(sizes.map((size) => Array.from({ length: size }, () => 1))),
  };
}
