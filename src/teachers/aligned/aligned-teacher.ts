import * as tf from "@tensorflow/tfjs-core";
import {
  type Batch,
  isLearned,
  makeBatch,
  roundedLength,
  type Tokenizer,
  type TokenSequence,
  type VocabularyMap,
  vocabularyMap,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { HostValues, identityOf } from "../../tensors/index.js";
import { joinedSource } from "../score-source.js";
import type { ScoreContext, Teacher, TeacherScores, TeacherTensors } from "../teacher.js";
import {
  type AlignedRow,
  type AlignedSignal,
  alignRow,
  coveredPlaces,
  restrictRow,
  teacherSequence,
} from "./align-row.js";
import {
  type AlignedBatch,
  type ChunkPlacement,
  type ChunkPlaces,
  chunkPlaces,
  type LogitPlaces,
  logitPlaces,
  placeChunkLogProbs,
  placeLogits,
  toStudentVocabulary,
} from "./place-signals.js";

export interface AlignedTeacherOptions {
  readonly teacherTokenizer: Tokenizer;
  readonly studentTokenizer: Tokenizer;
  /**
   * One of the two, since they cover different positions: `teacherTokenLogProbs` every token of
   * chunks that both sides have, `teacherLogits` the first token of every chunk.
   */
  readonly signal: AlignedSignal;
  /**
   * Of a chunk with several of the student's tokens: its log-probability in equal parts on them
   * ("spread", default), or all on the last one ("last"). Their sum is the same.
   */
  readonly placement?: ChunkPlacement;
  /** Whose vocabulary logits are in: "teacher" for `universal-logit`. Default "student". */
  readonly vocabulary?: "student" | "teacher";
  /**
   * Gives logits over the teacher's vocabulary too, where they are over the student's: for
   * `universal-logit` beside a loss on the tokens that both have. Default: false.
   */
  readonly keepsOwnLogits?: boolean;
  /** Rows of the student's head, where they are more than its tokenizer has ids. */
  readonly studentVocabSize?: number;
}

export interface AlignedTeacher extends Teacher {
  readonly map: VocabularyMap;
  restrict(sequence: TokenSequence): TokenSequence;
}

/**
 * A teacher with another tokenizer than the student's. It reads the same text in its own tokens;
 * the two are aligned by byte offset, into the smallest chunks whose borders coincide.
 *
 * - `teacherTokenLogProbs`: log-probability of a chunk, the sum over the teacher's tokens (chain
 *   rule), on the student's tokens of the chunk. Over each chunk, Σ (log T − log S) is the log-ratio
 *   of its text. With "spread" the single terms stay of the size of a token's; with "last" the
 *   earlier tokens of a chunk seem certain to the teacher (log-probability 0), and a policy gradient
 *   without discount rewards them for that.
 * - `teacherLogits`: the teacher's distribution where a chunk begins. Tokens with the same bytes in
 *   both vocabularies keep their probability, the rest is spread over the student's other tokens;
 *   with `vocabulary: "teacher"` the logits as they are.
 *
 * A sum over the teacher's tokenization is a lower bound of the text's probability: other
 * tokenizations of the same text have some, too, in well-trained models very little.
 *
 * Takes ownership of the teacher.
 *
 * @throws PupilError if the teacher cannot give the signal, or the vocabularies have nothing in common
 * @see https://github.com/huggingface/trl/issues/4393 (alignment by byte offsets)
 * @see https://arxiv.org/abs/2402.12030 (universal logit distillation)
 */
export function alignedTeacher(teacher: Teacher, options: AlignedTeacherOptions): AlignedTeacher {
  const { teacherTokenizer, studentTokenizer, signal } = options;
  const { placement = "spread", vocabulary = "student", keepsOwnLogits = false } = options;
  const studentVocabSize = options.studentVocabSize ?? studentTokenizer.vocabSize;
  const tokenizers = { student: studentTokenizer, teacher: teacherTokenizer };
  const map = vocabularyMap(studentTokenizer, teacherTokenizer);
  checkSignal(teacher, signal);
  if (signal === "teacherLogits" && vocabulary === "student") checkMap(map, teacher);
  const align = (sequence: TokenSequence) => alignRow(sequence, tokenizers, teacher.maxPositions);

  const placesOf = (aligned: AlignedBatch): ChunkPlaces | LogitPlaces =>
    signal === "teacherTokenLogProbs" ? chunkPlaces(aligned, placement) : logitPlaces(aligned);
  const place = (
    batch: Batch,
    places: ChunkPlaces | LogitPlaces,
    given: Partial<TeacherTensors>,
  ) => {
    if ("shares" in places) {
      const values = given.teacherTokenLogProbs as TeacherTensors["teacherTokenLogProbs"];
      return { teacherTokenLogProbs: placeChunkLogProbs(batch, places, values) };
    }
    const { teacherLogits } = given as Pick<TeacherTensors, "teacherLogits">;
    const logits = placeLogits(batch, places, teacherLogits);
    if (vocabulary === "teacher") return { teacherLogits: logits };
    return {
      teacherLogits: toStudentVocabulary(logits, map, studentVocabSize),
      ...(keepsOwnLogits ? { ownVocabularyLogits: logits } : {}),
    };
  };
  const score = async (batch: Batch, context?: ScoreContext): Promise<TeacherScores> => {
    const rows = batch.sequences.map(align);
    checkCovered(batch, rows, signal, teacher.name);
    const sequences = rows.map((row, i) =>
      teacherSequence(batch.sequences[i] as TokenSequence, row, tokenizers),
    );
    const length = roundedLength(sequences, teacher.maxPositions);
    const teacherBatch = makeBatch(sequences, teacherTokenizer.padId, length);
    const { sequenceLength: teacherLength } = teacherBatch;
    const places = new HostValues(() => placesOf({ batch, rows, teacherLength }));
    try {
      const scores = await teacher.score(teacherBatch, [signal], context);
      return {
        tensors: () => tf.tidy(() => place(batch, places.tensors(), scores.tensors())),
        source: () =>
          joinedSource(
            `aligned by ${identityOf(map)}`,
            [scores],
            [...teacherBatch.tensors, ...places.reads()],
          ),
        dispose: () => {
          scores.dispose?.();
          places.dispose();
          teacherBatch.dispose();
        },
      };
    } catch (error) {
      teacherBatch.dispose();
      throw error;
    }
  };
  const dispose = () => teacher.dispose();
  return {
    name: teacher.name,
    vocabSize: vocabulary === "teacher" ? teacher.vocabSize : studentVocabSize,
    provides: [signal],
    map,
    restrict: (sequence) => restrictRow(sequence, align(sequence).chunks, signal),
    score: (batch, _needs, context) => score(batch, context),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function checkSignal({ name, provides }: Teacher, signal: AlignedSignal): void {
  if (provides.includes(signal)) return;
  throw new PupilError(`The teacher "${name}" has another tokenizer and no ${signal}.`, {
    field: "teacher",
    remedy: `It gives ${provides.join(", ")}; only log-probabilities of tokens and logits can be aligned.`,
  });
}

function checkMap({ studentIds }: VocabularyMap, { name }: Teacher): void {
  if (studentIds.length > 0) return;
  throw new PupilError(`No token of the teacher "${name}" is one of the student.`, {
    field: "teacher",
    remedy: "Use its teacherTokenLogProbs, or the loss universal-logit.",
  });
}

/** A position that is learned without a signal would be learned from nothing. */
function checkCovered(
  batch: Batch,
  rows: readonly AlignedRow[],
  signal: AlignedSignal,
  name: string,
): void {
  for (const [i, sequence] of batch.sequences.entries()) {
    const { ids } = sequence;
    const covered = coveredPlaces(ids.length, (rows[i] as AlignedRow).chunks, signal);
    const place = ids.findIndex((_, at) => isLearned(sequence, at) && covered[at] !== true);
    if (place < 0) continue;
    throw new Error(
      `Teacher "${name}" has no ${signal} about id ${place} of row ${i}: restrict() the rows first.`,
    );
  }
}
