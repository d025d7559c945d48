import * as tf from "@tensorflow/tfjs-core";
import type { Batch, VocabularyMap } from "../../data/index.js";
import { logProbsFromLogits } from "../../ops/index.js";
import type { AlignedRow } from "./align-row.js";

/** How the log-probability of a chunk is given to the student's tokens in it. */
export type ChunkPlacement = "spread" | "last";

/** The rows of a student's batch as the teacher read them. */
export interface AlignedBatch {
  readonly batch: Batch;
  readonly rows: readonly AlignedRow[];
  /** T of the teacher's batch. */
  readonly teacherLength: number;
}

/** Where what a teacher says belongs, as tensors: given to `placeChunkLogProbs` or `placeLogits`. */
export type ChunkPlaces = Readonly<Record<"ofTeacher" | "ofStudent" | "shares", tf.Tensor1D>>;
export type LogitPlaces = Readonly<Record<"from", tf.Tensor1D>>;

/** The chunk of every position of the teacher `[B·T']` and of the student `[B·T]`, and the student's share of it. */
export function chunkPlaces(
  { batch, rows, teacherLength }: AlignedBatch,
  placement: ChunkPlacement,
): ChunkPlaces {
  const { size: B, sequenceLength: T } = batch;
  const placed = batch.sequences.flatMap(({ row, start }, i) =>
    (rows[i] as AlignedRow).chunks
      .filter(({ comparable }) => comparable)
      .map((chunk) => ({ chunk, i, at: row * T + start - 1 })),
  );
  // What belongs to no chunk; there are never more chunks than positions.
  const none = B * T;
  const ofTeacher = new Int32Array(rows.length * teacherLength).fill(none);
  const ofStudent = new Int32Array(B * T).fill(none);
  const shares = new Float32Array(B * T);
  for (const [index, { chunk, i, at }] of placed.entries()) {
    const { studentStart, studentEnd, teacherStart, teacherEnd } = chunk;
    // Position t is about the id at t + 1.
    const from = i * teacherLength - 1;
    ofTeacher.fill(index, from + teacherStart, from + teacherEnd);
    ofStudent.fill(index, at + studentStart, at + studentEnd);
    if (placement === "last") shares[at + studentEnd - 1] = 1;
    else shares.fill(1 / (studentEnd - studentStart), at + studentStart, at + studentEnd);
  }
  return {
    ofTeacher: tf.tensor1d(ofTeacher, "int32"),
    ofStudent: tf.tensor1d(ofStudent, "int32"),
    shares: tf.tensor1d(shares),
  };
}

/**
 * Log-probabilities of whole chunks on the student's tokens, `[B, T]`: Σ over the chunk's tokens of
 * the teacher (chain rule), in equal parts on those of the student or all on the last one. Zero where
 * there is no comparable chunk.
 *
 * @param teacherTokenLogProbs `[B, T']`, of the teacher's rows
 */
export function placeChunkLogProbs(
  { size: B, sequenceLength: T }: Pick<Batch, "size" | "sequenceLength">,
  { ofTeacher, ofStudent, shares }: ChunkPlaces,
  teacherTokenLogProbs: tf.Tensor2D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const sums = tf.unsortedSegmentSum(teacherTokenLogProbs.flatten(), ofTeacher, B * T + 1);
    return tf.gather(sums, ofStudent).mul(shares).reshape([B, T]);
  });
}

/** For every position of the student's `[B·T]` that of the teacher's `[B·T']` at which the same chunk begins, or any. */
export function logitPlaces({ batch, rows, teacherLength }: AlignedBatch): LogitPlaces {
  const { size: B, sequenceLength: T } = batch;
  const from = new Int32Array(B * T);
  for (const [i, { row, start }] of batch.sequences.entries()) {
    for (const { studentStart, teacherStart } of (rows[i] as AlignedRow).chunks) {
      if (studentStart === 0 || teacherStart === 0) continue;
      from[row * T + start + studentStart - 1] = i * teacherLength + teacherStart - 1;
    }
  }
  return { from: tf.tensor1d(from, "int32") };
}

/**
 * The teacher's logits at the positions where a chunk begins, `[B, T, W]`: there both sides have read
 * the same bytes. Other positions hold those of some position, to be masked.
 *
 * @param teacherLogits `[B, T', W]`, of the teacher's rows
 */
export function placeLogits(
  { size: B, sequenceLength: T }: Pick<Batch, "size" | "sequenceLength">,
  { from }: LogitPlaces,
  teacherLogits: tf.Tensor3D,
): tf.Tensor3D {
  const W = teacherLogits.shape[2];
  return tf.tidy(() => tf.gather(teacherLogits.reshape([-1, W]), from).reshape([B, T, W]));
}

/** Least mass that is left for tokens without counterpart, so that its logarithm is finite. */
const leastMass = 1e-9;

/**
 * A teacher's distribution in the student's vocabulary, as log-probabilities `[B, T, V]`: a token
 * with a counterpart has the counterpart's probability; the mass of the teacher's other tokens is
 * spread evenly over the student's other tokens. Where every token of the student has a counterpart,
 * that mass is lost, to be made up by the softmax of who reads this.
 *
 * @param teacherLogits `[B, T, W]`
 */
export function toStudentVocabulary(
  teacherLogits: tf.Tensor3D,
  { studentIds, teacherIds }: Pick<VocabularyMap, "studentIds" | "teacherIds">,
  studentVocabSize: number,
): tf.Tensor3D {
  const counterpart = new Int32Array(studentVocabSize);
  const isMatched = new Uint8Array(studentVocabSize);
  for (const [i, id] of studentIds.entries()) {
    counterpart[id] = teacherIds[i] as number;
    isMatched[id] = 1;
  }
  const unmatched = studentVocabSize - studentIds.length;
  return tf.tidy(() => {
    const logProbs = logProbsFromLogits(teacherLogits);
    const matched = tf.tensor1d(isMatched, "bool");
    const values = tf.gather(logProbs, tf.tensor1d(counterpart, "int32"), 2);
    if (unmatched === 0) return values as tf.Tensor3D;
    const mass = values.exp().mul(matched.toFloat()).sum(-1, true);
    const rest = tf.scalar(1).sub(mass).maximum(leastMass).div(unmatched).log();
    return tf.where(matched, values, rest.broadcastTo(values.shape)) as tf.Tensor3D;
  });
}
