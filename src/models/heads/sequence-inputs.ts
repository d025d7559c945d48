import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";

/** Whole sequences on the device, padded on the right to one length. */
export interface SequenceInputs {
  readonly inputIds: tf.Tensor2D;
  readonly attentionMask: tf.Tensor2D;
}

/**
 * Token rows as {@link SequenceModel} reads them, every id of every row. The surrounding scope releases
 * the tensors.
 *
 * @throws PupilError for no rows, and for a row without an id
 */
export function sequenceInputs(
  rows: readonly (readonly number[])[],
  padId: number,
): SequenceInputs {
  const empty = rows.findIndex((row) => row.length === 0);
  if (rows.length === 0 || empty >= 0) {
    const problem = rows.length === 0 ? "There are no rows." : `Row ${empty + 1} is empty.`;
    throw new PupilError(problem, { remedy: "Every sequence needs at least one token." });
  }
  const width = Math.max(...rows.map((row) => row.length));
  const fill = (row: readonly number[], value: number) =>
    Array.from({ length: width - row.length }, () => value);
  const ids = rows.map((row) => [...row, ...fill(row, padId)]);
  const mask = rows.map((row) => [...row.map(() => 1), ...fill(row, 0)]);
  return { inputIds: tf.tensor2d(ids, undefined, "int32"), attentionMask: tf.tensor2d(mask) };
}
