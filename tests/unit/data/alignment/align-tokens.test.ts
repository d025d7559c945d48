import { describe, expect, test } from "vitest";
import {
  alignTokens,
  byteTokenizer,
  bytesOfTokens,
  chunkLogProbs,
  type TokenChunk,
  tokenEnds,
  type Tokenizer,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { randomText } from "../../../setup/data/random-text.js";
import { missing } from "../../../setup/data/shared-data.js";
import {
  plainTokenizers,
  sentencePieceTokenizer,
  sharedTokenizer,
  trainedTokenizer,
  wordPieceTokenizer,
} from "../../../setup/data/tokenizers.js";

const random = new Random(11);
const texts = Array.from({ length: 14 }, (_, i) => randomText(random, 4 + 4 * i));
const corpus = texts.map((text) => `${text} the cat is sitting on the mat`);

const small = await trainedTokenizer(corpus, 290);
const large = await trainedTokenizer(corpus, 380);
const sentencePiece = await sentencePieceTokenizer();
const wordPiece = await wordPieceTokenizer();
const { byte, character } = plainTokenizers(texts) as { byte: Tokenizer; character: Tokenizer };

/** Tokens of one chunk on both sides, as text. */
function show(chunks: readonly TokenChunk[], [s, sIds]: Side, [t, tIds]: Side): string[] {
  return chunks.map((c) => {
    const student = sIds.slice(c.studentStart, c.studentEnd).map((id) => textOf(s, [id]));
    const teacher = tIds.slice(c.teacherStart, c.teacherEnd).map((id) => textOf(t, [id]));
    return `${student.join("|")} = ${teacher.join("|")}${c.sameBytes ? "" : " (differs)"}`;
  });
}
type Side = [Tokenizer, number[]];

function textOf(tokenizer: Tokenizer, ids: readonly number[]): string {
  return new TextDecoder().decode(bytesOfTokens(tokenizer, ids));
}

function align(s: Tokenizer, t: Tokenizer, text: string) {
  const student = { tokenizer: s, ids: s.encode(text) };
  const teacher = { tokenizer: t, ids: t.encode(text) };
  return { student, teacher, chunks: alignTokens(student, teacher, text) };
}

/** Every token once and in order; equal bytes; no border inside a chunk that both sides have. */
function checkChunks(s: Tokenizer, t: Tokenizer, text: string): void {
  const { student, teacher, chunks } = align(s, t, text);
  const bytes = new TextEncoder().encode(text);
  const ends = {
    student: tokenEnds(s, student.ids, text),
    teacher: tokenEnds(t, teacher.ids, text),
  };
  let [i, j, at] = [0, 0, 0];
  for (const chunk of chunks) {
    expect([chunk.studentStart, chunk.teacherStart]).toEqual([i, j]);
    expect(chunk.studentEnd).toBeGreaterThan(i);
    expect(chunk.teacherEnd).toBeGreaterThan(j);
    [i, j] = [chunk.studentEnd, chunk.teacherEnd];
    const end = ends.student[i - 1] as number;
    expect(ends.teacher[j - 1]).toBe(end);
    expect(chunk.sameBytes).toBe(true);
    for (const side of [
      [s, student.ids, chunk.studentStart, i] as const,
      [t, teacher.ids, chunk.teacherStart, j] as const,
    ]) {
      const own = Array.from(bytesOfTokens(side[0], side[1].slice(side[2], side[3])));
      // The dummy space of a vocabulary that writes words with a space before them.
      const expected = Array.from(bytes.subarray(at, end));
      expect(own.length === expected.length + 1 && at === 0 ? own.slice(1) : own).toEqual(expected);
    }
    const inside = (all: Int32Array, from: number, to: number) =>
      Array.from(all.subarray(from, to - 1));
    const students = inside(ends.student, chunk.studentStart, i);
    const teachers = new Set(inside(ends.teacher, chunk.teacherStart, j));
    const common = students.filter((place) => place > at && place < end && teachers.has(place));
    expect(common).toEqual([]);
    at = end;
  }
  expect([i, j, at]).toEqual([student.ids.length, teacher.ids.length, bytes.length]);
}

describe("alignTokens", () => {
  const tokenizers = { small, large, sentencePiece, byte, character };
  const pairs = Object.entries(tokenizers).flatMap(([a, s]) =>
    Object.entries(tokenizers).map(([b, t]) => [a, b, s, t] as const),
  );
  test.each(pairs)("%s and %s: every token once, equal bytes, smallest chunks", (_a, _b, s, t) => {
    for (const text of texts) checkChunks(s, t, text);
  });

  test("an emoji in pieces, digits and blanks", () => {
    const text = "👍 2024  the cat";
    const { student, teacher, chunks } = align(byte, sentencePiece, text);
    expect(chunks[0]).toEqual({
      studentStart: 0,
      studentEnd: 1,
      teacherStart: 0,
      teacherEnd: 2,
      sameBytes: true,
    });
    expect(show(chunks, [byte, student.ids], [sentencePiece, teacher.ids]).slice(4)).toEqual([
      "  =  ",
      "2 = 2",
      "0 = 0",
      "2 = 2",
      "4 = 4",
      "  =  ",
      " |t|h|e =  the",
      " |c|a =  ca",
      "t = t",
    ]);
  });

  test("the space that SentencePiece puts first is part of the first chunk", () => {
    const { student, teacher, chunks } = align(byte, sentencePiece, "the");
    expect(show(chunks, [byte, student.ids], [sentencePiece, teacher.ids])).toEqual([
      "t|h|e =  the",
    ]);
    expect(chunks[0]?.sameBytes).toBe(true);
  });

  test("a text that WordPiece changes: borders where there are any, chunks marked", () => {
    const text = "The café, İn 3 parts";
    const { student, teacher, chunks } = align(byte, wordPiece, text);
    const shown = show(chunks, [byte, student.ids], [wordPiece, teacher.ids]);
    expect(shown[0]).toBe("T|h|e =  the (differs)");
    expect(shown).toContain("f = f");
    // "é" is two bytes of the text and one letter there.
    expect(shown.at(4)).toBe("\ufffd|\ufffd = e (differs)");
    expect(shown.at(-1)).toBe("s = s");
    expect(chunks.at(-1)).toMatchObject({
      studentEnd: student.ids.length,
      teacherEnd: teacher.ids.length,
    });
  });

  test("sampled bytes that are no UTF-8 are one marked chunk, the rest aligns", () => {
    const ids = [0x61, 0xf0, 0x9f, 0x91, 0x20, 0x74, 0x68, 0x65, 0xe6];
    const text = byte.decode(ids);
    expect(text).toBe("a\ufffd the\ufffd");
    const student = { tokenizer: byte, ids };
    const teacher = { tokenizer: sentencePiece, ids: sentencePiece.encode(text) };
    const shown = alignTokens(student, teacher, text).map((c) => [
      c.studentEnd - c.studentStart,
      c.teacherEnd - c.teacherStart,
      c.sameBytes,
    ]);
    expect(shown).toEqual([
      [1, 2, true],
      [3, 3, false],
      [4, 1, true],
      [1, 3, false],
    ]);
  });

  test("a character that SentencePiece takes for a space is marked", () => {
    const { chunks } = align(byte, sentencePiece, "a▁the");
    expect(chunks.map(({ sameBytes }) => sameBytes)).toEqual([true, false]);
  });

  test("end tokens of both sides are a chunk; of one side, part of the last", () => {
    const [studentEnd, teacherEnd] = [byte.endIds[0] as number, sentencePiece.endIds[0] as number];
    const ids = sentencePiece.encode("the");
    const withEnd = { tokenizer: byte, ids: [...byte.encode("the"), studentEnd] };
    const chunks = alignTokens(
      withEnd,
      { tokenizer: sentencePiece, ids: [...ids, teacherEnd] },
      "the",
    );
    expect(chunks).toMatchObject([
      { studentEnd: 3, teacherEnd: 1 },
      { studentEnd: 4, teacherEnd: 2 },
    ]);
    const one = alignTokens(withEnd, { tokenizer: sentencePiece, ids }, "the");
    expect(one).toMatchObject([{ studentStart: 0, studentEnd: 4, teacherEnd: 1 }]);
  });

  test("texts that have nothing in common are one marked chunk", () => {
    const student = { tokenizer: byte, ids: byte.encode("abc") };
    const chunks = alignTokens(student, { tokenizer: byte, ids: byte.encode("xy") }, "abc");
    expect(chunks).toEqual([
      { studentStart: 0, studentEnd: 3, teacherStart: 0, teacherEnd: 2, sameBytes: false },
    ]);
    expect(alignTokens({ tokenizer: byte, ids: [] }, { tokenizer: byte, ids: [] }, "")).toEqual([]);
  });
});

describe("chunkLogProbs", () => {
  test("sums the tokens of each chunk", () => {
    const { teacher, chunks } = align(sentencePiece, byte, "the cat");
    expect(chunks.length).toBe(3);
    const logProbs = teacher.ids.map((_, i) => -(2 ** i));
    expect([...chunkLogProbs(chunks, "teacher", logProbs)]).toEqual([-7, -56, -64]);
    expect([...chunkLogProbs(chunks, "student", [-1, -2, -3])]).toEqual([-1, -2, -3]);
    expect(() => chunkLogProbs(chunks, "teacher", [-1])).toThrow("ends at 3, of 1 values");
  });
});

const folders = ["gpt2", "phi3"];
describe.skipIf(folders.some((folder) => missing(`tokenizers/${folder}`)))(
  "GPT-2 and Phi-3 (needs ../shared/data/tokenizers/gpt2, phi3)",
  async () => {
    const [gpt2, phi3] = missing("tokenizers/gpt2")
      ? []
      : await Promise.all(folders.map((folder) => sharedTokenizer(folder)));

    test("random texts align, also with a trained and a byte tokenizer", () => {
      const [a, b] = [gpt2 as Tokenizer, phi3 as Tokenizer];
      for (const [s, t] of [
        [a, b],
        [b, a],
        [a, byteTokenizer()],
        [large, b],
        [a, large],
      ] as const) {
        for (const text of texts) checkChunks(s, t, text);
      }
    });

    test("emoji, digits and blanks, as they are cut", () => {
      const text = "I 👍🏽 2024    naïve";
      const sides = { s: gpt2 as Tokenizer, t: phi3 as Tokenizer };
      const { student, teacher, chunks } = align(sides.s, sides.t, text);
      expect(show(chunks, [sides.s, student.ids], [sides.t, teacher.ids])).toMatchInlineSnapshot(`
        [
          "I =  I",
          " � =  |�|�|�",
          "� = �",
          "� = �|�",
          "� = �",
          "� = �",
          " 2024 =  |2|0|2|4",
          " | |  =    ",
          " naïve =  na|ï|ve",
        ]
      `);
    });
  },
);
