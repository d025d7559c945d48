import * as tf from "@tensorflow/tfjs-core";
import type { Batch, PlacedSequence } from "../data/index.js";
import type { TeacherTensors } from "./teacher.js";

/**
 * What a teacher outside this process said about one sequence of n ids, on the host. Entry t is about
 * the id at t + 1, so there are n − 1 positions; what stands at positions that are not learned has
 * no effect, as long as it is finite.
 */
export interface SequenceScores {
  /** `[n − 1]`. */
  readonly tokenLogProbs?: ArrayLike<number>;
  /** `[n − 1, K]`, row by row; no id twice at a position, unless they are draws. */
  readonly tokenIds?: ArrayLike<number>;
  /** `[n − 1, K]`. */
  readonly topLogProbs?: ArrayLike<number>;
  /** `[n − 1, K]`, of the distribution that the ids were drawn from. */
  readonly sampleLogProbs?: ArrayLike<number>;
}

/** Stands where a batch has no position of a sequence; finite, and masked like all padding. */
const nothing = -100;

/**
 * The scores of a batch's sequences, in the order of `batch.sequences`, as tensors `[B, T]` and
 * `[B, T, K]`. To be called inside the step's memory scope.
 *
 * @param K numbers per position of the lists
 */
export function placeScores(
  batch: Batch,
  scores: readonly SequenceScores[],
  K: number,
): Partial<TeacherTensors> {
  if (scores.length !== batch.sequences.length) {
    throw new Error(
      `${batch.sequences.length} sequences need as many scores, got ${scores.length}.`,
    );
  }
  const has = (name: keyof SequenceScores) => scores.every((score) => score[name] !== undefined);
  const floats = (name: keyof SequenceScores, width: number) => {
    const values = new Float32Array(batch.size * batch.sequenceLength * width).fill(nothing);
    return place(values, batch, scores, name, width);
  };
  const { size: B, sequenceLength: T } = batch;
  const lists = (name: keyof SequenceScores) => tf.tensor3d(floats(name, K), [B, T, K]);
  return {
    ...(has("tokenLogProbs")
      ? { teacherTokenLogProbs: tf.tensor2d(floats("tokenLogProbs", 1), [B, T]) }
      : {}),
    ...(has("tokenIds") ? { teacherTokenIds: placedIds(batch, scores, K) } : {}),
    ...(has("topLogProbs") ? { teacherTopLogProbs: lists("topLogProbs") } : {}),
    ...(has("sampleLogProbs") ? { teacherSampleLogProbs: lists("sampleLogProbs") } : {}),
  };
}

function placedIds(batch: Batch, scores: readonly SequenceScores[], K: number): tf.Tensor3D {
  const { size: B, sequenceLength: T } = batch;
  // Distinct ids where there is nothing, as everywhere else.
  const values = Int32Array.from({ length: B * T * K }, (_, i) => i % K);
  place(values, batch, scores, "tokenIds", K);
  return tf.tensor3d(values, [B, T, K], "int32");
}

function place<A extends Float32Array | Int32Array>(
  values: A,
  batch: Batch,
  scores: readonly SequenceScores[],
  name: keyof SequenceScores,
  width: number,
): A {
  for (const [i, { ids, row, start }] of (batch.sequences as PlacedSequence[]).entries()) {
    const given = scores[i]?.[name] as ArrayLike<number>;
    const expected = Math.max(0, ids.length - 1) * width;
    if (given.length !== expected) {
      throw new Error(`Sequence ${i} needs ${expected} ${name}, got ${given.length}.`);
    }
    values.set(given, (row * batch.sequenceLength + start) * width);
  }
  return values;
}
