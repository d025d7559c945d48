import * as tf from "@tensorflow/tfjs-core";
import { Batch, type BatchOptions, checkBatch, placeSequences } from "./batch.js";
import { requireObject } from "../../errors/index.js";
import { packSequences } from "./pack-sequences.js";
import type { TokenSequence } from "../types.js";

export interface PackedBatchOptions extends BatchOptions {
  /**
   * Positions of a row at most. Default: twice those of the longest sequence. (Rows of its own length
   * would leave every sequence of more than half of it alone; longer ones save little more, and what
   * attention keeps for the gradient grows with them.)
   */
  readonly length?: number;
  /** How many rows the batch has where so many are needed; those beyond them are empty. Default: as many as are needed. */
  readonly roundRows?: (needed: number) => number;
}

/**
 * Sequences to tensors, several in a row (see {@link packSequences}): as `makeBatch`, and in addition
 * `positionIds`, which start again with every sequence, and `firstKeys`, the position at which the
 * sequence of each input starts, so that it attends to nothing before it. A sequence's last position
 * predicts its own last id: no label crosses a border.
 *
 * Rows are no longer examples. What is said of one is in `sequences` and `tokensPerSequence`, both in
 * the order given.
 *
 * @throws PupilError naming a sequence that does not fit into a row of `length`
 */
export function makePackedBatch(
  sequences: readonly TokenSequence[],
  padId: number,
  options: PackedBatchOptions = {},
): Batch {
  requireObject(options, { field: "options", remedy: "Leave them out, or { length: 128 }." });
  const { padToMultipleOf = 1, length, roundRows = (needed) => needed } = options;
  checkBatch(sequences, padId, padToMultipleOf);
  const longest = sequences.reduce((most, { ids }) => Math.max(most, ids.length - 1), 1);
  const { numRows: needed, longestRow, places } = packSequences(sequences, length ?? 2 * longest);
  const numRows = Math.max(needed, roundRows(needed));
  const width = Math.ceil(Math.max(1, longestRow) / padToMultipleOf) * padToMultipleOf;
  const placed = sequences.map((sequence, i) => {
    return { ...sequence, ...(places[i] as { row: number; start: number }) };
  });
  const { tensors, ...counts } = placeSequences(placed, [numRows, width], padId);
  const positionIds = new Int32Array(numRows * width);
  // Padding sees no more than itself, which the mask hides.
  const firstKeys = Int32Array.from({ length: numRows * width }, (_, i) => i % width);
  for (const { ids, row, start } of placed) {
    const first = row * width + start;
    for (let t = 0; t + 1 < ids.length; t++) positionIds[first + t] = t;
    firstKeys.fill(start, first, first + ids.length - 1);
  }
  const packed = {
    positionIds: tf.tensor2d(positionIds, [numRows, width], "int32"),
    firstKeys: tf.tensor2d(firstKeys, [numRows, width], "int32"),
  };
  return new Batch({ ...tensors, ...packed }, { ...counts, sequences: placed });
}
