/** What a recording answers, and what it refuses to answer. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch, type TokenSequence } from "../../../../src/data/index.js";
import {
  type RecordedPosition,
  type RecordedRow,
  recordedTeacher,
  rowKey,
} from "../../../../src/teachers/index.js";

const facts = { k: 2, dtype: "float32", vocabSize: 9, tokens: "likeliest", sampleTemperature: 1 };
const row: TokenSequence = { ids: [5, 6, 7], completionStart: 1, learned: [0, 0, 1], id: "a:1" };
const position: RecordedPosition = {
  ...{ tokenLogProb: -0.5, logTail: Math.log(0.2), logNormalizer: 0 },
  ...{ ids: [7, 3], logProbs: [Math.log(0.5), Math.log(0.3)] },
};

function teacherOf(changes: object = {}, stored: Partial<RecordedRow> = {}, vocabSize?: number) {
  const given: RecordedRow = { ids: row.ids, positions: [position], ...stored };
  return recordedTeacher(
    {
      name: "rec",
      manifest: { ...facts, maxPositions: null, ...changes } as never,
      has: (key) => key === rowKey(row),
      read: (keys) => Promise.resolve(keys.map(() => given)),
    },
    vocabSize,
  );
}

async function answer(teacher = teacherOf(), rows = [row]): Promise<Record<string, number[][][]>> {
  using batch = makeBatch(rows, 0);
  const scores = await teacher.score(batch, teacher.provides);
  return tf.tidy(() => {
    const entries = Object.entries(scores.tensors() as Record<string, tf.Tensor>);
    return Object.fromEntries(entries.map(([name, tensor]) => [name, tensor.arraySync()]));
  }) as Record<string, number[][][]>;
}

test("the stored positions stand at their places; what is not learned weighs nothing", async () => {
  const given = await answer();
  expect(Object.keys(given).sort()).toEqual([
    ...["teacherTokenIds", "teacherTokenLogProbs", "teacherTopLogProbs"],
  ]);
  expect(given["teacherTokenIds"]).toEqual([
    [
      [0, 1],
      [7, 3],
    ],
  ]);
  expect(given["teacherTokenLogProbs"]).toEqual([[0, -0.5]]);
  const [[nothing, list]] = given["teacherTopLogProbs"] as [[number[], number[]]];
  expect(nothing).toEqual([-100, -100]);
  expect(list[0]).toBeCloseTo(Math.log(0.5), 6);
});

test("lists are shifted to their tail by up to a hundredth, and not where that would be wild", async () => {
  const listed = async (logTail: number, logProbs = position.logProbs as number[]) => {
    const stored = { positions: [{ ...position, logTail, logProbs }] };
    return (await answer(teacherOf({}, stored)))["teacherTopLogProbs"]?.[0]?.[1] as number[];
  };
  const shifted = await listed(Math.log(0.205));
  expect(shifted[0]).toBeCloseTo(Math.log(0.5) + Math.log(0.795 / 0.8), 6);
  expect(shifted[1]).toBeCloseTo(Math.log(0.3) + Math.log(0.795 / 0.8), 6);
  // 0.792 / 0.8 is further than a hundredth from 1.
  expect((await listed(Math.log(0.2085)))[0]).toBeCloseTo(Math.log(0.5), 6);
  expect((await listed(0))[0]).toBeCloseTo(Math.log(0.5), 6);
  expect(await listed(0, [-1e4, -1e4])).toEqual([-1e4, -1e4]);
});

test("draws have the log-probabilities of their proposal, and their temperature is known", async () => {
  const draws = { tokens: "draws", sampleTemperature: 2 };
  const stored = { positions: [{ ...position, logNormalizer: 0.25 }] };
  const teacher = teacherOf(draws, stored);
  expect(teacher.sampleTemperature).toBe(2);
  expect(teacher.provides).toContain("teacherSampleLogProbs");
  const given = await answer(teacher);
  const list = given["teacherSampleLogProbs"]?.[0] as number[][];
  expect(list[0]).toEqual([-100, -100]);
  for (const [i, p] of [0.5, 0.3].entries()) {
    expect(list[1]?.[i]).toBeCloseTo(Math.log(p) / 2 - 0.25, 6);
    // As they were: the tail of draws is not that of the list.
    expect(given["teacherTopLogProbs"]?.[0]?.[1]?.[i]).toBeCloseTo(Math.log(p), 6);
  }
  expect(teacherOf()).not.toHaveProperty("sampleTemperature");
  expect(teacherOf().provides).not.toContain("teacherSampleLogProbs");
});

test("rows that were not recorded are known before, and an error with their number", async () => {
  const other: TokenSequence = { ids: [1, 2], completionStart: 1 };
  const teacher = teacherOf();
  expect([teacher.knows?.(row), teacher.knows?.(other)]).toEqual([true, false]);
  expect(teacher.scoresOnly).toBe("the rows that were recorded");
  await expect(answer(teacher, [row, { ...other, id: "b:2" }, other])).rejects.toThrow(
    /^teacher: "rec" does not have b:2: 2 of the 3 rows of the batch were not recorded\. It was made from/,
  );
  await expect(answer(teacher, [other])).rejects.toThrow(
    /does not have a row without a name: 1 of/,
  );
});

test("an id that the student has no row for is refused, the last one is not", async () => {
  await expect(answer(teacherOf({}, {}, 7))).rejects.toThrow(
    /^teacher: "rec" names the id 7, the student has 7 rows/,
  );
  expect(teacherOf({}, {}, 8).vocabSize).toBe(8);
  expect(teacherOf().vocabSize).toBe(9);
  await expect(answer(teacherOf({}, {}, 8))).resolves.toBeDefined();
});

test("a row that is another one under the same key is no answer", async () => {
  for (const stored of [
    { ids: [5, 6, 8] },
    { ids: [5, 6] },
    { ids: [5, 6, 7, 8] },
    { positions: [position, position] },
    { positions: [] },
  ]) {
    await expect(answer(teacherOf({}, stored))).rejects.toThrow(/Two different rows have the key/);
  }
});
