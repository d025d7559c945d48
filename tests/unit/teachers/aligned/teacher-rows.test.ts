/** A student's row as a teacher with another tokenizer reads it, and its distribution read back. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { byteTokenizer, characterTokenizer, makeBatch } from "../../../../src/data/index.js";
import {
  alignedTeacher,
  alignRow,
  type Teacher,
  toStudentVocabulary,
} from "../../../../src/teachers/index.js";
import { restrictRow, teacherSequence } from "../../../../src/teachers/aligned/align-row.js";

const byte = byteTokenizer();
const end = byte.endIds[0] as number;
const letters = characterTokenizer({ alphabet: "abcdef" });
const lettersEnd = letters.endIds[0] as number;
const bare = { ...letters, startIds: [], endIds: [] };
const started = { ...letters, startIds: [lettersEnd] };
const a = 0x61;

describe("a row", () => {
  test("ends with the teacher's end where it ends with the student's", () => {
    const row = alignRow(
      { ids: [a, a + 1, end], completionStart: 1 },
      { student: byte, teacher: letters },
    );
    expect(row.teacherIds).toEqual([...letters.startIds, 0, 1, lettersEnd]);
    const n = letters.startIds.length;
    expect(row.chunks.at(-1)).toEqual({
      ...{ studentStart: 2, studentEnd: 3, teacherStart: n + 2, teacherEnd: n + 3 },
      comparable: true,
    });
    for (const [ids, teacher] of [
      [[a, a + 1], letters],
      [[a, a + 1, end], bare],
    ] as const) {
      const without = alignRow({ ids, completionStart: 1 }, { student: byte, teacher });
      expect(without.teacherIds.at(-1)).toBe(1);
      expect(without.chunks).toHaveLength(2);
    }
  });

  test("that is an end alone has nothing before it to predict it from", () => {
    const alone = { ids: [end], completionStart: 1 };
    for (const teacher of [bare, { ...letters, startIds: [] }, started]) {
      expect(alignRow(alone, { student: byte, teacher }).chunks).toEqual([]);
    }
    const second = { ids: [end, end], completionStart: 1 };
    const { chunks } = alignRow(second, { student: byte, teacher: started });
    expect(chunks).toEqual([
      { studentStart: 1, studentEnd: 2, teacherStart: 1, teacherEnd: 2, comparable: true },
    ]);
    expect(
      alignRow(second, { student: byte, teacher: { ...letters, startIds: [] } }).chunks,
    ).toEqual([]);
  });

  test("begins with the teacher's start ids, so that its first token can be compared", () => {
    const ids = [end, a, a + 1];
    const tokenizers = { student: byte, teacher: started };
    const { teacherIds, chunks } = alignRow({ ids, completionStart: 1 }, tokenizers);
    expect(teacherIds).toEqual([lettersEnd, 0, 1]);
    expect(chunks.map(({ comparable }) => comparable)).toEqual([true, true]);
    const atOnce = alignRow({ ids: [a, a + 1], completionStart: 1 }, tokenizers);
    expect(atOnce.chunks.map(({ comparable }) => comparable)).toEqual([false, true]);
    const withoutStart = alignRow(
      { ids, completionStart: 1 },
      { student: byte, teacher: { ...letters, startIds: [] } },
    );
    expect(withoutStart.chunks.map(({ comparable }) => comparable)).toEqual([false, true]);
  });

  test("is cut where the teacher can read no more", () => {
    const ids = [a, a + 1, a + 2, end];
    const tokenizers = { student: byte, teacher: { ...letters, startIds: [] } };
    for (const length of [2, 3, 4]) {
      const { teacherIds, chunks } = alignRow({ ids, completionStart: 1 }, tokenizers, length);
      expect([teacherIds.length, chunks.length]).toEqual([length, length]);
    }
  });

  test("has its prompt, its right completion and its name in the teacher's tokens", () => {
    const tokenizers = { student: byte, teacher: { ...letters, startIds: [] } };
    const row = { ids: [a, a + 1, a + 2], completionStart: 2, reference: [a + 3, end], id: "x:1" };
    expect(teacherSequence(row, alignRow(row, tokenizers), tokenizers)).toEqual({
      ...{ ids: [0, 1, 2], completionStart: 2, reference: [3], id: "x:1" },
    });
    const plain = { ids: [a, a + 1], completionStart: 2 };
    expect(teacherSequence(plain, alignRow(plain, tokenizers), tokenizers)).toEqual({
      ...{ ids: [0, 1], completionStart: 2 },
    });
    const empty = { ids: [byte.padId], completionStart: 1 };
    expect(teacherSequence(empty, alignRow(empty, tokenizers), tokenizers)).toEqual({
      ...{ ids: [0], completionStart: 1 },
    });
  });

  test("keeps of what is learned only what the teacher speaks of", () => {
    const chunks = [
      { studentStart: 1, studentEnd: 3, teacherStart: 1, teacherEnd: 2, comparable: true },
      { studentStart: 3, studentEnd: 4, teacherStart: 2, teacherEnd: 3, comparable: false },
    ];
    const row = { ids: [1, 2, 3, 4], completionStart: 2 };
    expect(restrictRow(row, chunks, "teacherTokenLogProbs").learned).toEqual([0, 0, 1, 0]);
    expect(restrictRow(row, chunks, "teacherLogits").learned).toEqual([0, 0, 0, 1]);
  });
});

describe("a distribution in the student's vocabulary", () => {
  const read = (logits: number[], student: number[], teacher: number[], size: number) =>
    tf.tidy(() => {
      const [studentIds, teacherIds] = [Int32Array.from(student), Int32Array.from(teacher)];
      const map = { studentIds, teacherIds };
      const placed = toStudentVocabulary(tf.tensor3d([[logits]]), map, size);
      return (placed.arraySync()[0] as number[][])[0]?.map(Math.exp) as number[];
    });
  const log = (...shares: number[]) => shares.map(Math.log);

  test("is the counterparts', the rest in equal parts on the others", () => {
    const given = read(log(0.5, 0.2, 0.3), [2, 0], [0, 1], 4);
    for (const [i, share] of [0.2, 0.15, 0.5, 0.15].entries())
      expect(given[i]).toBeCloseTo(share, 5);
  });

  test("loses what no token is left for", () => {
    const given = read(log(0.5, 0.2, 0.3), [1, 0], [0, 1], 2);
    for (const [i, share] of [0.2, 0.5].entries()) expect(given[i]).toBeCloseTo(share, 5);
  });

  test("leaves a little where nothing is left, so that its logarithm is finite", () => {
    const given = read([0, -200], [0, 1], [0, 1], 4);
    expect((given[2] as number) / 5e-10).toBeCloseTo(1, 3);
  });
});

test("both vocabularies' logits are given where both are asked for", async () => {
  let disposed = 0;
  const inner: Teacher = {
    ...{ name: "inner", vocabSize: letters.vocabSize, provides: ["teacherLogits"] },
    score: ({ size, sequenceLength }) =>
      Promise.resolve({
        tensors: () => {
          const shape: [number, number, number] = [size, sequenceLength, letters.vocabSize];
          return { teacherLogits: tf.ones(shape) };
        },
        dispose: () => {
          disposed += 1;
        },
      }),
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  const options = {
    teacherTokenizer: letters,
    studentTokenizer: byte,
    signal: "teacherLogits",
  } as const;
  const names = async (changes: object) => {
    using teacher = alignedTeacher(inner, { ...options, ...changes });
    using batch = makeBatch([teacher.restrict({ ids: [a, a + 1], completionStart: 1 })], 0);
    const scores = await teacher.score(batch, ["teacherLogits"]);
    const shapes = tf.tidy(() => {
      const given = scores.tensors() as Record<string, tf.Tensor>;
      return Object.entries(given).map(([name, tensor]) => [name, tensor.shape.at(-1)]);
    });
    scores.dispose?.();
    return Object.fromEntries(shapes) as object;
  };
  expect(await names({})).toEqual({ teacherLogits: byte.vocabSize });
  expect(await names({ keepsOwnLogits: true, studentVocabSize: 300 })).toEqual({
    ...{ teacherLogits: 300, ownVocabularyLogits: letters.vocabSize },
  });
  expect(await names({ vocabulary: "teacher" })).toEqual({ teacherLogits: letters.vocabSize });
  expect(disposed).toBe(3);
});
