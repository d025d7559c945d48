import * as tf from "@tensorflow/tfjs-core";
import { PupilError, requireList, requireObject, showValue } from "../../errors/index.js";
import { bucketedLength, disposeAll, keepTensor, roundsLengths } from "../../tensors/index.js";
import type { PlacedSequence, TokenSequence } from "../types.js";

interface BatchTensors {
  readonly inputIds: tf.Tensor2D;
  readonly labels: tf.Tensor2D;
  readonly attentionMask: tf.Tensor2D;
  readonly completionMask: tf.Tensor2D;
  /** Both or neither. */
  readonly positionIds?: tf.Tensor2D;
  readonly firstKeys?: tf.Tensor2D;
}

/** What is known of a batch on the host. */
interface BatchFacts {
  readonly tokensPerRow: readonly number[];
  readonly tokensPerSequence: readonly number[];
  readonly sequences: readonly PlacedSequence[];
}

/** Token rows on the device, right-padded to one length. Owns its tensors, all `[B, T]`. */
export class Batch implements Disposable {
  /** int32: every token of a row but its last, then `padId`. */
  readonly inputIds: tf.Tensor2D;
  /** int32: the token that follows each input, then `padId`. */
  readonly labels: tf.Tensor2D;
  /** float32, 1 where the input is a real token. */
  readonly attentionMask: tf.Tensor2D;
  /** float32, 1 where the label is a token to learn. */
  readonly completionMask: tf.Tensor2D;
  /** int32, only where rows hold several sequences: the place of each input in its own. */
  readonly positionIds?: tf.Tensor2D;
  /** int32, with `positionIds`: where in the row the sequence of each input starts. */
  readonly firstKeys?: tf.Tensor2D;
  /** Number of completion tokens of each row: the row sums of `completionMask`. */
  readonly tokensPerRow: readonly number[];
  /** The same for each of `sequences`. */
  readonly tokensPerSequence: readonly number[];
  /** What the rows are made of, on the host; one for each row, in order, unless they are packed. */
  readonly sequences: readonly PlacedSequence[];

  constructor(tensors: BatchTensors, facts: BatchFacts) {
    this.inputIds = keepTensor(tensors.inputIds);
    this.labels = keepTensor(tensors.labels);
    this.attentionMask = keepTensor(tensors.attentionMask);
    this.completionMask = keepTensor(tensors.completionMask);
    if (tensors.positionIds) this.positionIds = keepTensor(tensors.positionIds);
    if (tensors.firstKeys) this.firstKeys = keepTensor(tensors.firstKeys);
    this.tokensPerRow = facts.tokensPerRow;
    this.tokensPerSequence = facts.tokensPerSequence;
    this.sequences = facts.sequences;
  }

  /** Whether a row may hold several sequences, so that it is no longer an example. */
  get isPacked(): boolean {
    return this.firstKeys !== undefined;
  }

  /** Number of positions that hold a real token: the sum of `attentionMask`. */
  get numPositions(): number {
    return this.sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  }

  /** Number of completion tokens: the sum of `completionMask`. */
  get numTokens(): number {
    return this.tokensPerRow.reduce((sum, tokens) => sum + tokens, 0);
  }

  /** B */
  get size(): number {
    return this.inputIds.shape[0];
  }

  /** T */
  get sequenceLength(): number {
    return this.inputIds.shape[1];
  }

  /** All that it has on the device. */
  get tensors(): readonly tf.Tensor[] {
    const { inputIds, labels, attentionMask, completionMask, positionIds, firstKeys } = this;
    const placed = [positionIds, firstKeys].filter((tensor) => tensor !== undefined);
    return [inputIds, labels, attentionMask, completionMask, ...placed];
  }

  dispose(): void {
    disposeAll(this.tensors);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * The same rows on the device, of which a teacher on the host sees only some sequences. Owns nothing
 * and lives as long as `batch`.
 */
export function withSequences(batch: Batch, sequences: readonly PlacedSequence[]): Batch {
  return Object.create(batch, { sequences: { value: sequences, enumerable: true } }) as Batch;
}

export interface BatchOptions {
  /** Pads T up to a multiple of this, so that fewer shapes occur. */
  readonly padToMultipleOf?: number;
}

/**
 * The length of a batch of these rows in the words of {@link makeBatch}: that of the longest, rounded up where the backend keeps
 * what it made for a length.
 *
 * @param mostPositions that a model has; no row is padded beyond them
 */
export function roundedLength(
  rows: readonly Pick<TokenSequence, "ids">[],
  mostPositions = Infinity,
): BatchOptions {
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length - 1), 1);
  return roundsLengths() ? { padToMultipleOf: bucketedLength(longest, mostPositions) } : {};
}

/**
 * Rows to tensors: `inputIds = ids[:-1]`, `labels = ids[1:]`, `completionMask[t] = 1` where
 * `t + 1 >= completionStart` and `t + 1 < length` (with `learned`: where that has a 1 at `t + 1`). T
 * is the longest row minus one, at least 1. `padId` only fills: no mask looks at ids, so it may be an
 * end id. Rows without a completion token are allowed and add nothing to `numTokens`.
 */
export function makeBatch(
  sequences: readonly TokenSequence[],
  padId: number,
  options: BatchOptions = {},
): Batch {
  requireObject(options, {
    field: "options",
    remedy: "Leave them out, or { padToMultipleOf: 8 }.",
  });
  const multiple = options.padToMultipleOf ?? 1;
  checkBatch(sequences, padId, multiple);
  const longest = sequences.reduce((length, { ids }) => Math.max(length, ids.length), 0);
  const width = Math.ceil(Math.max(1, longest - 1) / multiple) * multiple;
  const placed = sequences.map((sequence, row) => ({ ...sequence, row, start: 0 }));
  const { tensors, ...counts } = placeSequences(placed, [sequences.length, width], padId);
  return new Batch(tensors, { ...counts, sequences: placed });
}

const rowsRemedy = "Give it rows of token ids: [{ ids: [1, 2, 3], completionStart: 1 }].";

/** Throws if no batch can be made of the sequences: there are none, or what they hold are no ids. */
export function checkBatch(
  sequences: readonly TokenSequence[],
  padId: number,
  padToMultipleOf: number,
): void {
  requireList(sequences, { field: "sequences", remedy: rowsRemedy });
  if (sequences.length === 0) {
    throw new PupilError("A batch needs at least one sequence.", {
      ...{ field: "sequences", value: sequences, remedy: rowsRemedy },
    });
  }
  requireCount(padToMultipleOf, "padToMultipleOf", 1);
  assertId(padId, "padId", "Give the tokenizer's padId.");
  for (const [row, sequence] of sequences.entries()) checkRow(sequence, `row ${row}`);
}

function checkRow(sequence: TokenSequence, field: string): void {
  requireObject(sequence, { field, remedy: rowsRemedy });
  const { ids, completionStart, learned } = sequence;
  requireList(ids, { field: `${field}: ids`, remedy: rowsRemedy });
  if (ids.length === 0) {
    throw new PupilError("has no tokens.", { field, value: sequence, remedy: "Leave it out." });
  }
  if (learned === undefined) requireCount(completionStart, `${field}: completionStart`, 0);
  else requireList(learned, { field: `${field}: learned`, remedy: "Give a 0 or 1 for each id." });
  for (const [position, id] of ids.entries()) {
    assertId(id, `${field}, position ${position}`, "Give it what a tokenizer's encode gives.");
  }
}

/** Writes sequences to their places in rows `[B, T]` and counts what is learned. */
export function placeSequences(
  sequences: readonly PlacedSequence[],
  [size, width]: readonly [number, number],
  padId: number,
): { tensors: BatchTensors } & Omit<BatchFacts, "sequences"> {
  const inputIds = new Int32Array(size * width).fill(padId);
  const labels = new Int32Array(size * width).fill(padId);
  const attentionMask = new Float32Array(size * width);
  const completionMask = new Float32Array(size * width);
  const tokensPerRow = Array.from({ length: size }, () => 0);
  const tokensPerSequence = sequences.map((sequence) => {
    const { ids, row, start } = sequence;
    let tokens = 0;
    for (let t = 0; t + 1 < ids.length; t++) {
      const index = row * width + start + t;
      inputIds[index] = ids[t] as number;
      labels[index] = ids[t + 1] as number;
      attentionMask[index] = 1;
      if (!isLearned(sequence, t + 1)) continue;
      completionMask[index] = 1;
      tokens++;
    }
    tokensPerRow[row] = (tokensPerRow[row] as number) + tokens;
    return tokens;
  });
  const shape: [number, number] = [size, width];
  const tensors = {
    inputIds: tf.tensor2d(inputIds, shape, "int32"),
    labels: tf.tensor2d(labels, shape, "int32"),
    attentionMask: tf.tensor2d(attentionMask, shape, "float32"),
    completionMask: tf.tensor2d(completionMask, shape, "float32"),
  };
  return { tensors, tokensPerRow, tokensPerSequence };
}

/** Whether a model is trained to predict the id at `position`; the first id of all never is. */
export function isLearned({ completionStart, learned }: TokenSequence, position: number): boolean {
  if (position < 1) return false;
  return learned === undefined ? position >= completionStart : learned[position] === 1;
}

/** The positions of a row whose ids are learned, ascending, from 1. */
export function learnedPositions(row: TokenSequence): number[] {
  const positions: number[] = [];
  for (let position = 1; position < row.ids.length; position++) {
    if (isLearned(row, position)) positions.push(position);
  }
  return positions;
}

function assertId(id: number, field: string, remedy: string): void {
  if (Number.isInteger(id) && id >= 0 && id <= 0x7fff_ffff) return;
  throw new PupilError(`is ${showValue(id)}, not a token id.`, { field, value: id, remedy });
}

function requireCount(value: unknown, field: string, least: number): void {
  if (Number.isInteger(value) && (value as number) >= least) return;
  throw new PupilError(value === undefined ? "is missing." : `is ${showValue(value)}.`, {
    ...{ field, value, remedy: `Give a whole number from ${least}.` },
  });
}
