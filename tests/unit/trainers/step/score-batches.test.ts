import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import type { Rollout } from "../../../../src/rollouts/index.js";
import type { ScoreContext, Teacher } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { scoreBatches } from "../../../../src/trainers/step/score-batches.js";

const row = (ids: number[]) => ({ ids, completionStart: 1 });
const batchesOf = () =>
  splitIntoBatches([row([1, 2]), row([1, 3])], [row([1, 4]), row([1, 5])], 2, 0);

interface Asked {
  readonly ids: number[][];
  readonly needs: readonly string[];
  readonly context: ScoreContext | undefined;
}

/** A teacher that notes what it is asked, and whose n-th answer is an error. */
function noting(failsAt = Number.POSITIVE_INFINITY) {
  const asked: Asked[] = [];
  const released: number[] = [];
  const teacher: Teacher = {
    ...{ name: "noting", vocabSize: 9, provides: ["teacherLogits"] },
    score: ({ sequences }, needs, context) => {
      const call = asked.length;
      asked.push({ ids: sequences.map(({ ids }) => [...ids]), needs, context });
      if (call === failsAt) return Promise.reject(new Error("no answer"));
      return Promise.resolve({ tensors: () => ({}), dispose: () => released.push(call) });
    },
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return { teacher, asked, released };
}

test("a teacher is asked about every micro-batch, with its place in the step", async () => {
  const { teacher, asked, released } = noting();
  using batches = batchesOf();
  const random = new Random(1);
  const layers = { hiddenStates: [1] } as never;
  const scored = await scoreBatches(batches, teacher, {
    signals: ["teacherLogits"],
    random,
    layers,
  });
  expect(asked.map(({ ids }) => ids)).toEqual([
    [
      [1, 2],
      [1, 3],
    ],
    [
      [1, 4],
      [1, 5],
    ],
  ]);
  expect(asked.map(({ needs }) => needs)).toEqual([["teacherLogits"], ["teacherLogits"]]);
  expect(asked.map(({ context }) => context)).toEqual([
    { random, firstRow: 0, layers },
    { random, firstRow: 2, layers },
  ]);
  expect(scored.parts.every((part) => part.teacher !== undefined && !part.rollouts)).toBe(true);
  expect(released).toEqual([]);
  scored[Symbol.dispose]();
  expect(released).toEqual([0, 1]);
});

test("what is known from sampling goes to the student's rows of each", async () => {
  const rollouts = [-1, -2].map(
    (logProb): Rollout => ({
      ...{ promptIds: [1], completionIds: [2], tokenLogProbs: [logProb], finished: true },
    }),
  );
  using batches = splitIntoBatches([row([1, 2]), row([1, 3])], [row([1, 4])], 3, 0);
  const options = { signals: [], random: new Random(1) };
  using scored = await scoreBatches(batches, undefined, { ...options, rollouts });
  const old = scored.parts.map((part) =>
    tf.tidy(() => part.rollouts?.inputs({}).oldTokenLogProbs?.arraySync()),
  );
  expect(old).toEqual([[[-1]], [[-2]], [[0]]]);
  expect(scored.parts.some((part) => "teacher" in part)).toBe(false);
});

test("where one answer is an error, the others are let go", async () => {
  const { teacher, released } = noting(1);
  using batches = batchesOf();
  const scoring = scoreBatches(batches, teacher, { signals: [], random: new Random(1) });
  await expect(scoring).rejects.toThrow("no answer");
  expect(released).toEqual([0]);
});
