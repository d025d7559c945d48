import { PupilError } from "../../errors/index.js";
import type { Teacher } from "../teacher.js";

/** The one vocabulary size of several teachers. */
export function sameVocabSize(teachers: readonly Teacher[]): number {
  const first = teachers[0] as Teacher;
  const other = teachers.find(({ vocabSize }) => vocabSize !== first.vocabSize);
  if (other === undefined) return first.vocabSize;
  throw new PupilError(
    `"${first.name}" has a vocabulary of ${first.vocabSize} tokens, "${other.name}" of ${other.vocabSize}.`,
    {
      field: "teacher.teachers",
      remedy: "Several teachers of one student need one vocabulary: the student's.",
    },
  );
}

/** The shortest context of several teachers, if any has a limit. */
export function leastPositions(limits: readonly { readonly maxPositions?: number }[]): {
  maxPositions?: number;
} {
  const given = limits.flatMap(({ maxPositions }) => maxPositions ?? []);
  return given.length === 0 ? {} : { maxPositions: Math.min(...given) };
}
