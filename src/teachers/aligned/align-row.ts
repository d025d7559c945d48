import {
  alignTokens,
  decodeCompletion,
  isLearned,
  type Tokenizer,
  type TokenSequence,
} from "../../data/index.js";

/** The tokens of a row that stand for one stretch of its text on both sides; ends are exclusive. */
export interface RowChunk {
  /** Places in the student's and in the teacher's row. */
  readonly studentStart: number;
  readonly studentEnd: number;
  readonly teacherStart: number;
  readonly teacherEnd: number;
  /** Whether both sides have a probability of the same bytes. */
  readonly comparable: boolean;
}

/** A student's row as the teacher reads it. */
export interface AlignedRow {
  readonly teacherIds: readonly number[];
  readonly chunks: readonly RowChunk[];
}

export interface Tokenizers {
  readonly student: Tokenizer;
  readonly teacher: Tokenizer;
}

/**
 * Re-tokenizes a row for a teacher with another tokenizer and aligns the two.
 *
 * The text is what the student's ids decode to, so sampled ids align as well as encoded ones. Start
 * ids are replaced by the teacher's. An end id at the end of the row is matched with the teacher's
 * end id; other special tokens have no text and no counterpart.
 *
 * @param maxLength most ids that the teacher can read; what is behind them is in no chunk
 */
export function alignRow(
  sequence: TokenSequence,
  { student, teacher }: Tokenizers,
  maxLength = Number.POSITIVE_INFINITY,
): AlignedRow {
  const { ids, completionStart } = sequence;
  const isText = (id: number) => student.tokenBytes(id).length > 0;
  const places = ids.map((_, place) => place).filter((place) => isText(ids[place] as number));
  const studentIds = places.map((place) => ids[place] as number);
  const text = student.decode(studentIds);
  const first = teacher.startIds.length;
  const body = teacher.encode(text);
  const teacherIds = [...teacher.startIds, ...body];
  const chunks = alignTokens(
    { tokenizer: student, ids: studentIds },
    { tokenizer: teacher, ids: body },
    text,
  ).map((chunk): RowChunk => {
    const studentStart = places[chunk.studentStart] ?? ids.length;
    const studentEnd = (places[chunk.studentEnd - 1] ?? studentStart - 1) + 1;
    const [teacherStart, teacherEnd] = [chunk.teacherStart + first, chunk.teacherEnd + first];
    const hasGap = studentEnd - studentStart !== chunk.studentEnd - chunk.studentStart;
    // Part of it would be given, not predicted.
    const crossesStart = studentStart < completionStart && studentEnd > completionStart;
    const comparable =
      chunk.sameBytes && !hasGap && !crossesStart && studentStart > 0 && teacherStart > 0;
    return { studentStart, studentEnd, teacherStart, teacherEnd, comparable };
  });
  const last = ids.length - 1;
  const teacherEndId = teacher.endIds[0];
  const ends = student.endIds.includes(ids[last] as number) && !isText(ids[last] as number);
  const at = teacherIds.length;
  if (ends && teacherEndId !== undefined && last > 0 && at > 0) {
    teacherIds.push(teacherEndId);
    chunks.push({
      studentStart: last,
      studentEnd: last + 1,
      teacherStart: at,
      teacherEnd: at + 1,
      comparable: true,
    });
  }
  return {
    teacherIds: teacherIds.slice(0, maxLength),
    chunks: chunks.filter(({ teacherEnd }) => teacherEnd <= maxLength),
  };
}

/**
 * The row as the teacher's batch has it. Teachers that read another prompt, or are chosen by it, go by
 * where it ends; a token that is partly of the prompt counts as of it.
 */
export function teacherSequence(
  { ids, completionStart, reference, id }: TokenSequence,
  { teacherIds, chunks }: AlignedRow,
  { student, teacher }: Tokenizers,
): TokenSequence {
  const first = chunks.find(({ studentStart }) => studentStart >= completionStart);
  const promptIds = ids.slice(0, completionStart);
  return {
    // A row whose text is empty still needs a token to be a row.
    ids: teacherIds.length > 0 ? teacherIds : [0],
    completionStart: Math.max(1, first?.teacherStart ?? teacherIds.length),
    ...(reference && {
      reference: teacher.encode(decodeCompletion(student, promptIds, reference)),
    }),
    ...(id === undefined ? {} : { id }),
  };
}

/** What the teacher can say something about: whole chunks, or the distribution where one begins. */
export const alignedSignals = ["teacherLogits", "teacherTokenLogProbs"] as const;
export type AlignedSignal = (typeof alignedSignals)[number];

/** For each id of the student's row whether the teacher gives the signal about it. */
export function coveredPlaces(
  length: number,
  chunks: readonly RowChunk[],
  signal: AlignedSignal,
): boolean[] {
  const covered = new Array<boolean>(length).fill(false);
  for (const { studentStart, studentEnd, teacherStart, comparable } of chunks) {
    if (signal === "teacherLogits") {
      if (studentStart > 0 && teacherStart > 0) covered[studentStart] = true;
    } else if (comparable) covered.fill(true, studentStart, studentEnd);
  }
  return covered;
}

/** The row with only those ids to learn that the teacher gives the signal about. */
export function restrictRow(
  sequence: TokenSequence,
  chunks: readonly RowChunk[],
  signal: AlignedSignal,
): TokenSequence {
  const covered = coveredPlaces(sequence.ids.length, chunks, signal);
  const learned = covered.map((isCovered, i) => (isCovered && isLearned(sequence, i) ? 1 : 0));
  return { ...sequence, learned };
}
