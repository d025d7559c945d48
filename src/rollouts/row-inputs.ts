import * as tf from "@tensorflow/tfjs";
import type { ModelInputs } from "../models/index.js";

/** What a row has been given and has sampled so far. */
export interface SampledRow {
  readonly promptIds: readonly number[];
  /** The last one has not been fed to the model yet. */
  readonly completionIds: readonly number[];
  /** A finished row is fed padding, which its mask hides. */
  readonly finished: boolean;
}

/** All prompts at once, padded on the left so that every row goes on at the same column. */
export function promptInputs(rows: readonly SampledRow[], padId: number): ModelInputs {
  const width = widestPrompt(rows);
  const shape: [number, number] = [rows.length, width];
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
  return {
    inputIds: tf.tensor2d(ids, shape, "int32"),
    positionIds: tf.tensor2d(positions, shape, "int32"),
    attentionMask: tf.tensor2d(mask, shape),
  };
}

/** The last sampled token of every row `[B, 1]`, with the mask `[B, S]` of all columns fed so far. */
export function nextTokenInputs(rows: readonly SampledRow[], padId: number): ModelInputs {
  const width = widestPrompt(rows);
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
  return {
    inputIds: tf.tensor2d(ids, [rows.length, 1], "int32"),
    positionIds: tf.tensor2d(positions, [rows.length, 1], "int32"),
    attentionMask: tf.tensor2d(mask, [rows.length, columns]),
  };
}

function widestPrompt(rows: readonly SampledRow[]): number {
  return Math.max(...rows.map((row) => row.promptIds.length));
}
