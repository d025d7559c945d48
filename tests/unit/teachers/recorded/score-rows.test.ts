import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { Batch } from "../../../../src/data/index.js";
import {
  recordedSignals,
  scoreRows,
  type ScoreContext,
  type Teacher,
  type TeacherSignal,
  tokensPerPosition,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";

interface Answer {
  readonly own?: number;
  readonly ids?: readonly number[];
  readonly logProbs?: readonly number[];
  readonly sample?: readonly number[];
}

/** Says the same of every position but for the number of the position itself, 0.001 each. */
function listTeacher({ own = -1, ids = [4, 2], logProbs = [-1, -2], sample }: Answer = {}) {
  const seen: {
    needs: readonly TeacherSignal[];
    context: ScoreContext | undefined;
    ids: number[][];
  }[] = [];
  let released = 0;
  const provides: TeacherSignal[] = [
    "teacherTokenLogProbs",
    "teacherTokenIds",
    "teacherTopLogProbs",
  ];
  if (sample !== undefined) provides.push("teacherSampleLogProbs");
  const teacher: Teacher = {
    ...{ name: "lists", vocabSize: 9, provides },
    score: (batch: Batch, needs, context) => {
      seen.push({ needs, context, ids: batch.inputIds.arraySync() });
      const { size: B, sequenceLength: T } = batch;
      const lists = (row: readonly number[]) =>
        tf
          .tensor1d([...row])
          .tile([B * T])
          .reshape<tf.Tensor3D>([B, T, row.length]);
      return Promise.resolve({
        tensors: () => ({
          teacherTokenLogProbs: tf
            .range(0, B * T)
            .mul(-0.001)
            .add(own)
            .reshape<tf.Tensor2D>([B, T]),
          teacherTokenIds: lists(ids).toInt(),
          teacherTopLogProbs: lists(logProbs),
          ...(sample === undefined ? {} : { teacherSampleLogProbs: lists(sample) }),
          // Not asked for, and not kept.
          teacherLogits: lists(ids),
        }),
        dispose: () => {
          released += 1;
        },
      });
    },
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return { teacher, seen, released: () => released };
}

const rows = [
  { ids: [1, 2, 3], completionStart: 1, id: "a:1" },
  { ids: [4, 5, 6, 7], completionStart: 1, learned: [0, 1, 0, 1] },
];
const options = { padId: 8, random: new Random(1), first: 5 };
const refused = (answer: Answer, given = rows) =>
  scoreRows(listTeacher(answer).teacher, given, options);

test("learned positions are kept, with the tail beside the list", async () => {
  const { teacher, seen, released } = listTeacher();
  const [first, second] = await scoreRows(teacher, rows, options);
  expect(first).toMatchObject({ id: "a:1", ids: [1, 2, 3] });
  expect(second).not.toHaveProperty("id");
  const own = (row: typeof first) => row?.positions.map(({ tokenLogProb }) => tokenLogProb);
  for (const [i, value] of [-1, -1.001].entries()) expect(own(first)?.[i]).toBeCloseTo(value, 5);
  // The second row begins at 3; its ids 1 and 3 are about positions 0 and 2 of it.
  for (const [i, value] of [-1.003, -1.005].entries())
    expect(own(second)?.[i]).toBeCloseTo(value, 5);
  expect([own(first)?.length, own(second)?.length]).toEqual([2, 2]);
  const { ids, logProbs, logTail, logNormalizer } = first!.positions[0]!;
  expect([...(ids as Int32Array)]).toEqual([4, 2]);
  expect([...(logProbs as Float32Array)]).toEqual([-1, -2]);
  expect(logTail).toBeCloseTo(Math.log(1 - Math.exp(-1) - Math.exp(-2)), 6);
  expect(logNormalizer).toBe(0);
  expect(seen[0]?.context).toMatchObject({ firstRow: 5 });
  expect(seen[0]?.ids).toEqual([
    [1, 2, 8],
    [4, 5, 6],
  ]);
  expect(released()).toBe(1);
});

test("draws hold their mass once each, and how their proposal is normalized", async () => {
  const logProbs = [-1, -1, -2];
  const sample = logProbs.map((x) => x / 2 - 0.3);
  const { teacher, seen } = listTeacher({ ids: [4, 4, 2], logProbs, sample });
  const [row] = await scoreRows({ ...teacher, sampleTemperature: 2 }, rows, options);
  expect(seen[0]?.needs).toContain("teacherSampleLogProbs");
  expect(row?.positions[0]?.logTail).toBeCloseTo(Math.log(1 - Math.exp(-1) - Math.exp(-2)), 6);
  expect(row?.positions[0]?.logNormalizer).toBeCloseTo(0.3, 5);
  // At temperature 1 the same numbers are of no proposal.
  await expect(scoreRows(teacher, rows, options)).rejects.toThrow(
    /a:1: The teacher's draws are not from its distribution at temperature 1, so .* \(token 1 of the row\)/,
  );
  const nearly = sample.map((x, i) => x + (i === 0 ? 0.0005 : 0));
  const close = { ...listTeacher({ ids: [4, 4, 2], logProbs, sample: nearly }).teacher };
  await expect(scoreRows({ ...close, sampleTemperature: 2 }, rows, options)).resolves.toBeDefined();
});

test("a list with all mass leaves a tail that float32 can tell", async () => {
  const [row] = await scoreRows(listTeacher({ ids: [1], logProbs: [0] }).teacher, rows, options);
  expect(row?.positions[0]?.logTail).toBeCloseTo(Math.log(1e-7), 6);
});

describe("what is no log-probability", () => {
  test("is named with its row and token", async () => {
    await expect(refused({ own: Number.NaN })).rejects.toThrow(
      "a:1: The teacher gave NaN, which is no log-probability. (token 1 of the row)",
    );
    await expect(refused({ logProbs: [0.5, -2] }, rows.slice(1))).rejects.toThrow(
      /^row 1 of the batch: The teacher gave 0\.5.*\(token 1 of the row\)/,
    );
    await expect(refused({ own: 0.02 })).rejects.toThrow(/The teacher gave 0\.0/);
  });

  test("is not what rounding puts a little above 0, nor a probability of 0", async () => {
    await expect(refused({ own: 0.0009 })).resolves.toBeDefined();
    await expect(refused({ logProbs: [-1, Number.NEGATIVE_INFINITY] })).resolves.toBeDefined();
  });
});

test("a teacher of lists everywhere can be recorded, no other", async () => {
  const { teacher } = listTeacher();
  const lists = ["teacherTokenLogProbs", "teacherTokenIds", "teacherTopLogProbs"];
  expect(recordedSignals(teacher)).toEqual(lists);
  expect(recordedSignals(listTeacher({ sample: [-1, -2] }).teacher)).toEqual([
    ...lists,
    "teacherSampleLogProbs",
  ]);
  expect(() => recordedSignals({ ...teacher, restrict: (row) => row })).toThrow(
    'teacher: The teacher "lists" has a signal at some positions only, which a recording cannot say.',
  );
  expect(() => recordedSignals({ ...teacher, provides: ["teacherTokenLogProbs"] })).toThrow(
    'teacher: A recording needs teacherTokenIds, teacherTopLogProbs, which the teacher "lists" does not give. Set teacher.topK',
  );
  const silent: Teacher = {
    ...teacher,
    score: () =>
      Promise.resolve({
        tensors: () => ({ teacherTokenLogProbs: tf.zeros([1, 2]) as tf.Tensor2D }),
      }),
  };
  await expect(scoreRows(silent, rows.slice(0, 1), options)).rejects.toThrow(
    "did not give the signals that it provides",
  );
});

test("K is found by asking", async () => {
  expect(await tokensPerPosition(listTeacher().teacher, rows[0]!, 0)).toBe(2);
  expect(
    await tokensPerPosition(listTeacher({ ids: [3], logProbs: [-1] }).teacher, rows[0]!, 0),
  ).toBe(1);
});
