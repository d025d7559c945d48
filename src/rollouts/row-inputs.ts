import * as tf from "@tensorflow/tfjs-core";
import type { ModelInputs } from "../models/index.js";

/** What a row has been given and has sampled so far. */
export interface SampledRow {
  readonly promptIds: readonly number[];
  /** The last one has not been fed to the model yet. */
  readonly completionIds: readonly number[];
  /** A finished row is fed padding, which its mask hides. */
  readonly finished: boolean;
}

/** Tokens to feed, `[B, T]` on the host row by row; the mask `[B, S]` covers the columns fed before. */
export interface RowInputs {
  readonly batch: number;
  readonly length: number;
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly mask: Float32Array;
}

/** The same on the device. */
export function toModelInputs({
  batch,
  length,
  ids,
  positions,
  mask,
}: RowInputs): ModelInputs & { readonly attentionMask: tf.Tensor2D } {
  return {
    inputIds: tf.tensor2d(ids, [batch, length], "int32"),
    positionIds: tf.tensor2d(positions, [batch, length], "int32"),
    attentionMask: tf.tensor2d(mask, [batch, mask.length / batch]),
  };
}

/**
 * What rows feed next: their prompts, and once they have grown, the last token of each.
 *
 * @param width columns of the prompts, at least those of the longest
 */
export function rowInputs(
  rows: readonly SampledRow[],
  padId: number,
  width = Math.max(...rows.map((row) => row.promptIds.length)),
): RowInputs {
  const isNew = rows.every(({ completionIds }) => completionIds.length === 0);
  return isNew ? promptInputs(rows, padId, width) : nextTokenInputs(rows, padId, width);
}

/** All prompts at once, padded on the left so that every row goes on at the same column. */
function promptInputs(rows: readonly SampledRow[], padId: number, width: number): RowInputs {
  const ids = new Int32Array(rows.length * width).fill(padId);
  const positions = new Int32Array(rows.length * width);
  const mask = new Float32Array(rows.length * width);
  for (const [row, { promptIds }] of rows.entries()) {
    const start = (row + 1) * width - promptIds.length;
    for (const [position, id] of promptIds.entries()) {
      ids[start + position] = id;
      positions[start + position] = position;
      mask[start + position] = 1;
    }
  }
  return { batch: rows.length, length: width, ids, positions, mask };
}

/** The last sampled token of every row `[B, 1]`, with the mask `[B, S]` of all columns fed so far. */
function nextTokenInputs(rows: readonly SampledRow[], padId: number, width: number): RowInputs {
  const columns = width + Math.max(...rows.map((row) => row.completionIds.length));
  const ids = new Int32Array(rows.length).fill(padId);
  const positions = new Int32Array(rows.length);
  const mask = new Float32Array(rows.length * columns);
  for (const [row, { promptIds, completionIds, finished }] of rows.entries()) {
    const numFed = finished ? completionIds.length - 1 : completionIds.length;
    if (!finished) {
      ids[row] = completionIds.at(-1) as number;
      positions[row] = promptIds.length + completionIds.length - 1;
    }
    const offset = row * columns + width;
    mask.fill(1, offset - promptIds.length, offset + numFed);
  }
  return { batch: rows.length, length: 1, ids, positions, mask };
}
