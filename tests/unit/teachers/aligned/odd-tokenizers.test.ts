/** Tokenizers whose text depends on what stands before, or that make tokens of nothing. */
import { expect, test } from "vitest";
import { byteTokenizer, characterTokenizer, type Tokenizer } from "../../../../src/data/index.js";
import { alignRow } from "../../../../src/teachers/index.js";
import { teacherSequence } from "../../../../src/teachers/aligned/align-row.js";

const byte = byteTokenizer();
const letters = { ...characterTokenizer({ alphabet: "abc " }), startIds: [] };

test("the right completion is decoded behind the student's prompt", () => {
  // As SentencePiece does: the space of the first token is not written.
  const student: Tokenizer = {
    ...letters,
    decode: (ids) => letters.decode(ids).replace(/^ /, ""),
  };
  const tokenizers = { student, teacher: letters };
  const row = { ids: [0, 3, 1], completionStart: 1, reference: [3, 2] };
  expect(teacherSequence(row, alignRow(row, tokenizers), tokenizers).reference).toEqual([3, 2]);
});

test("a token that the teacher makes of no text is compared with nothing", () => {
  const teacher: Tokenizer = { ...letters, encode: () => [0] };
  const { teacherIds, chunks } = alignRow(
    { ids: [byte.padId, byte.padId], completionStart: 1 },
    { student: byte, teacher },
  );
  expect(teacherIds).toEqual([0]);
  expect(chunks).toEqual([
    { studentStart: 2, studentEnd: 2, teacherStart: 0, teacherEnd: 1, comparable: false },
  ]);
});
