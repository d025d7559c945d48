/** Two tokenizations of one text, cut at any bytes, fall into the smallest chunks with common borders. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { alignTokens, chunkLogProbs, type TokenizedSide } from "../../../../src/data/index.js";

const encoder = new TextEncoder();

/** A text with places to cut it at; the student's may come twice, which makes a token without bytes. */
const cuts = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).chain((text) => {
  const { length } = encoder.encode(text);
  const places = fc.array(fc.integer({ min: 1, max: Math.max(1, length - 1) }), { maxLength: 8 });
  const unique = places.map((all) => [...new Set(all)]);
  return fc.record({ text: fc.constant(text), student: places, teacher: unique });
});

/** Ids count from 0; each stands for the bytes between its cuts. */
function side(text: string, places: readonly number[]): TokenizedSide & { ends: number[] } {
  const bytes = encoder.encode(text);
  const ends = [...places].sort((a, b) => a - b).filter((place) => place < bytes.length);
  ends.push(bytes.length);
  const tokenBytes = (id: number) => bytes.subarray(ends[id - 1] ?? 0, ends[id]);
  return { tokenizer: { tokenBytes }, ids: ends.map((_, id) => id), ends };
}

test("which hold every token once and in order", () => {
  fc.assert(
    fc.property(cuts, ({ text, ...places }) => {
      const student = side(text, places.student);
      const teacher = side(text, places.teacher);
      const chunks = alignTokens(student, teacher, text);
      const common = new Set(student.ends.filter((end) => teacher.ends.includes(end)));
      // The first token that ends there: one without bytes belongs to the chunk after it.
      const borders = [...common].map((end) => [
        student.ends.indexOf(end) + 1,
        teacher.ends.indexOf(end) + 1,
      ]);
      borders[borders.length - 1] = [student.ids.length, teacher.ids.length];
      expect(chunks.map(({ studentEnd, teacherEnd }) => [studentEnd, teacherEnd])).toEqual(borders);
      const starts = [[0, 0], ...borders.slice(0, -1)];
      expect(chunks.map((chunk) => [chunk.studentStart, chunk.teacherStart])).toEqual(starts);
      expect(chunks.every(({ sameBytes }) => sameBytes)).toBe(true);

      const logProbs = student.ids.map((id) => -1 - id);
      const sums = chunkLogProbs(chunks, "student", logProbs);
      const total = logProbs.reduce((sum, value) => sum + value, 0);
      expect(sums.reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 9);
    }),
    { seed: 4, numRuns: 400 },
  );
});
