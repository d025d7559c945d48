import type { Tokenizer } from "../types.js";

/** Ids that stand for the same bytes in two vocabularies. */
export interface VocabularyMap {
  /** `[n]`, rising; entry i means the same as entry i of `teacherIds`. */
  readonly studentIds: Int32Array;
  readonly teacherIds: Int32Array;
  /** Share of the student's ids that have a counterpart. */
  readonly studentCoverage: number;
  /** Share of the teacher's ids that have one. */
  readonly teacherCoverage: number;
}

type Vocabulary = Pick<Tokenizer, "tokenBytes" | "vocabSize" | "endIds">;

/**
 * Pairs of ids with exactly the same bytes, and the two end ids, each id at most once. Of several ids
 * with the same bytes the highest counts: vocabularies with byte fallback have the bytes first
 * and use them only for characters that they lack.
 */
export function vocabularyMap(student: Vocabulary, teacher: Vocabulary): VocabularyMap {
  const teacherIdOf = idsByBytes(teacher);
  const pairs = new Map<number, number>();
  for (const [bytes, studentId] of idsByBytes(student)) {
    const teacherId = teacherIdOf.get(bytes);
    if (teacherId !== undefined) pairs.set(studentId, teacherId);
  }
  const [studentEnd] = student.endIds.filter((id) => student.tokenBytes(id).length === 0);
  const [teacherEnd] = teacher.endIds.filter((id) => teacher.tokenBytes(id).length === 0);
  // An end id with bytes, such as a line end, is a token like any other.
  if (studentEnd !== undefined && teacherEnd !== undefined) pairs.set(studentEnd, teacherEnd);
  const sorted = [...pairs].sort(([a], [b]) => a - b);
  return {
    studentIds: Int32Array.from(sorted, ([id]) => id),
    teacherIds: Int32Array.from(sorted, ([, id]) => id),
    studentCoverage: sorted.length / student.vocabSize,
    teacherCoverage: sorted.length / teacher.vocabSize,
  };
}

/** Ids by their bytes, written as one character per byte. */
function idsByBytes({ tokenBytes, vocabSize }: Vocabulary): Map<string, number> {
  const ids = new Map<string, number>();
  for (let id = 0; id < vocabSize; id++) {
    const bytes = tokenBytes(id);
    if (bytes.length > 0) ids.set(String.fromCharCode(...bytes), id);
  }
  return ids;
}
