import * as tf from "@tensorflow/tfjs";
import { disposeAll, keepTensor } from "../tensors/index.js";
import type { PlacedSequence, TokenSequence } from "./types.js";

interface BatchTensors {
  readonly inputIds: tf.Tensor2D;
  readonly labels: tf.Tensor2D;
  readonly attentionMask: tf.Tensor2D;
  readonly completionMask: tf.Tensor2D;
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
  /** Number of completion tokens of each row: the row sums of `completionMask`. */
  readonly tokensPerRow: readonly number[];
  /** The same rows on the host, for teachers that live elsewhere. */
  readonly sequences: readonly PlacedSequence[];

  constructor(
    tensors: BatchTensors,
    tokensPerRow: readonly number[],
    sequences: readonly PlacedSequence[],
  ) {
    this.inputIds = keepTensor(tensors.inputIds);
    this.labels = keepTensor(tensors.labels);
    this.attentionMask = keepTensor(tensors.attentionMask);
    this.completionMask = keepTensor(tensors.completionMask);
    this.tokensPerRow = tokensPerRow;
    this.sequences = sequences;
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

  dispose(): void {
    disposeAll([this.inputIds, this.labels, this.attentionMask, this.completionMask]);
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
 * Rows to tensors: `inputIds = ids[:-1]`, `labels = ids[1:]`, `completionMask[t] = 1` where
 * `t + 1 >= completionStart` and `t + 1 < length` (with `learned`: where that has a 1 at `t + 1`). T is the longest row minus one, at least 1.
 * `padId` only fills: no mask looks at ids, so it may be an end id. Rows without a completion token
 * are allowed and add nothing to `numTokens`.
 */
export function makeBatch(
  sequences: readonly TokenSequence[],
  padId: number,
  options: BatchOptions = {},
): Batch {
  const multiple = options.padToMultipleOf ?? 1;
  if (sequences.length === 0) throw new Error("makeBatch needs at least one sequence.");
  if (!(Number.isInteger(multiple) && multiple > 0)) {
    throw new Error(`padToMultipleOf must be a whole number above 0, got ${multiple}.`);
  }
  assertId(padId, "padId");
  const longest = sequences.reduce((length, { ids }) => Math.max(length, ids.length), 0);
  const size = sequences.length;
  const width = Math.ceil(Math.max(1, longest - 1) / multiple) * multiple;
  const inputIds = new Int32Array(size * width).fill(padId);
  const labels = new Int32Array(size * width).fill(padId);
  const attentionMask = new Float32Array(size * width);
  const completionMask = new Float32Array(size * width);
  const tokensPerRow = sequences.map(() => 0);
  for (const [row, sequence] of sequences.entries()) {
    const { ids } = sequence;
    if (ids.length === 0) throw new Error(`makeBatch: row ${row} has no tokens.`);
    for (const [position, id] of ids.entries()) assertId(id, `row ${row}, position ${position}`);
    for (let t = 0; t + 1 < ids.length; t++) {
      const index = row * width + t;
      inputIds[index] = ids[t] as number;
      labels[index] = ids[t + 1] as number;
      attentionMask[index] = 1;
      if (isLearned(sequence, t + 1)) {
        completionMask[index] = 1;
        tokensPerRow[row] = (tokensPerRow[row] as number) + 1;
      }
    }
  }
  const shape: [number, number] = [size, width];
  const tensors = {
    inputIds: tf.tensor2d(inputIds, shape, "int32"),
    labels: tf.tensor2d(labels, shape, "int32"),
    attentionMask: tf.tensor2d(attentionMask, shape, "float32"),
    completionMask: tf.tensor2d(completionMask, shape, "float32"),
  };
  const placed = sequences.map((sequence, row) => ({ ...sequence, row, start: 0 }));
  return new Batch(tensors, tokensPerRow, placed);
}

/** Whether a model is trained to predict the id at `position`; the first id of all never is. */
export function isLearned({ completionStart, learned }: TokenSequence, position: number): boolean {
  if (position < 1) return false;
  return learned === undefined ? position >= completionStart : learned[position] === 1;
}

function assertId(id: number, where: string): void {
  if (!(Number.isInteger(id) && id >= 0 && id <= 0x7fff_ffff)) {
    throw new Error(`makeBatch: ${where} is ${id}, not a token id.`);
  }
}
