import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch, makePackedBatch } from "../../../../src/data/index.js";
import type { Rollout } from "../../../../src/rollouts/index.js";
import {
  knownRollouts,
  type RolloutInputs,
  teacherAdvantages,
} from "../../../../src/trainers/step/rollout-inputs.js";

const rollout = (promptIds: number[], tokenLogProbs: number[]): Rollout => ({
  ...{ promptIds, completionIds: tokenLogProbs.map(() => 1), tokenLogProbs, finished: true },
});
const rollouts = [rollout([1, 2], [-1, -2]), rollout([1], [-4])];
/** The student's two rows and one of the data. */
const sequences = [
  { ids: [1, 2, 1, 1], completionStart: 2 },
  { ids: [1, 1], completionStart: 1 },
  { ids: [5, 6, 7], completionStart: 1 },
];

function valuesOf(inputs: () => RolloutInputs) {
  return tf.tidy(() => {
    const { oldTokenLogProbs, advantages } = inputs();
    return { old: oldTokenLogProbs?.arraySync(), advantages: advantages?.arraySync() };
  });
}

describe("what is known of sampled rows", () => {
  test("stands where their tokens are predicted, and is 0 elsewhere", () => {
    using batch = makeBatch(sequences, 0);
    const { old, advantages } = valuesOf(() => knownRollouts(batch, rollouts, 0).inputs({}));
    expect(old).toEqual([
      [0, -1, -2],
      [-4, 0, 0],
      [0, 0, 0],
    ]);
    expect(advantages).toBeUndefined();
  });

  test("with a teacher's log-probabilities has advantages: what it thinks of them more", () => {
    using batch = makeBatch(sequences, 0);
    const found = valuesOf(() => {
      const teacherTokenLogProbs = tf.fill([3, 3], -0.5) as tf.Tensor2D;
      return knownRollouts(batch, rollouts, 0).inputs({ teacherTokenLogProbs });
    });
    expect(found.advantages).toEqual([
      [0, 0.5, 1.5],
      [3.5, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("has none about tokens that the batch does not learn", () => {
    const [first, ...rest] = sequences as [(typeof sequences)[0], ...typeof sequences];
    using batch = makeBatch([{ ...first, learned: [0, 0, 1, 0] } as typeof first, ...rest], 0);
    const found = valuesOf(() => {
      const teacherTokenLogProbs = tf.fill([3, 3], -0.5) as tf.Tensor2D;
      return knownRollouts(batch, rollouts, 1).inputs({ teacherTokenLogProbs });
    });
    expect(found.advantages?.[0]).toEqual([0, 0.5, 0]);
  });

  test("in packed rows stands where the sequences are", () => {
    using batch = makePackedBatch(sequences, 0);
    const { old } = valuesOf(() => knownRollouts(batch, rollouts, 0).inputs({}));
    for (const [i, { row, start, ids }] of batch.sequences.entries()) {
      const own = old?.[row]?.slice(start, start + ids.length - 1);
      expect(own).toEqual([[0, -1, -2], [-4], [0, 0]][i]);
    }
  });
});

test.each([
  [0, [1, 2, 4, 0]],
  [0.5, [1 + 0.5 * 2 + 0.25 * 4, 2 + 0.5 * 4, 4, 0]],
  [1, [7, 6, 4, 0]],
])("with discount %f later rewards count for earlier tokens", (discount, expected) => {
  const found = tf.tidy(() => {
    const teacher = tf.tensor2d([[1, 2, 4, Number.NaN]]);
    const mask = tf.tensor2d([[1, 1, 1, 0]]);
    return teacherAdvantages(teacher, tf.zerosLike(teacher), mask, discount).arraySync();
  });
  expect(found).toEqual([expected]);
});
