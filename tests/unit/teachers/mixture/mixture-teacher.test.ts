import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { type Batch, makeBatch } from "../../../../src/data/index.js";
import { mixLogProbs, mixtureTeacher, type Teacher } from "../../../../src/teachers/index.js";

/** Gives the same logits `[V]` at every position. */
function constantTeacher(name: string, row: readonly number[], sparse = false): Teacher {
  return {
    name,
    vocabSize: row.length,
    provides: sparse ? ["teacherTopLogProbs", "teacherTokenIds"] : ["teacherLogits"],
    score: ({ size, sequenceLength }: Batch) =>
      Promise.resolve({
        tensors: () => ({
          teacherLogits: tf.tidy(
            () =>
              tf
                .tensor1d([...row])
                .tile([size * sequenceLength])
                .reshape([size, sequenceLength, row.length]) as tf.Tensor3D,
          ),
        }),
      }),
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

const softmax = (logits: readonly number[]) => {
  const top = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
};
const a = [1, -2, 0.5, 0];
const b = [-1, 3, 0, 2];
const mixed = softmax(a).map((p, i) => Math.log(0.25 * p + 0.75 * (softmax(b)[i] as number)));

describe("a mixture", () => {
  test("has the weighted mean of the probabilities", () => {
    const values = tf.tidy(() =>
      mixLogProbs([tf.tensor3d([[a]]), tf.tensor3d([[b]])], [0.25, 0.75]).dataSync(),
    );
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(mixed[i] as number, 5);
  });

  test("is stable where one part is certain and far from the others", () => {
    const values = tf.tidy(() => {
      const parts = [[[1e4, 0, -1e9]], [[0, 1e4, -1e9]]].map((rows) => tf.tensor3d([rows]));
      return [...mixLogProbs(parts, [0.5, 0.5]).dataSync()];
    });
    expect(values[0]).toBeCloseTo(Math.log(0.5), 5);
    expect(values[1]).toBeCloseTo(Math.log(0.5), 5);
    expect(values[2]).toBeLessThan(-1e8);
    expect(values[2]).toBeGreaterThan(Number.NEGATIVE_INFINITY);
  });

  test("gives its own likeliest tokens and log-probabilities, whatever the scale of the weights", async () => {
    using batch = makeBatch([{ ids: [0, 3, 1], completionStart: 1 }], 0);
    const members = [constantTeacher("a", a), constantTeacher("b", b)].map((teacher, i) => {
      return { teacher, weight: [5, 15][i] as number };
    });
    using teacher = mixtureTeacher(members, { topK: 2 });
    expect(teacher.provides).toContain("teacherTopLogProbs");
    const scores = await teacher.score(batch, [
      "teacherTokenIds",
      "teacherTopLogProbs",
      "teacherTokenLogProbs",
      "teacherLogits",
    ]);
    const read = tf.tidy(() => {
      const { teacherTokenIds, teacherTopLogProbs, teacherTokenLogProbs, teacherLogits } =
        scores.tensors();
      return {
        logits: teacherLogits?.arraySync(),
        ids: teacherTokenIds?.arraySync(),
        top: teacherTopLogProbs?.arraySync(),
        tokens: teacherTokenLogProbs?.arraySync(),
      };
    });
    expect(read.ids).toEqual([
      [
        [1, 3],
        [1, 3],
      ],
    ]);
    // Log-probabilities, not only something with their softmax.
    for (const [id, value] of mixed.entries()) {
      expect(read.logits?.[0]?.[1]?.[id]).toBeCloseTo(value, 5);
    }
    expect(read.top?.[0]?.[0]?.[0]).toBeCloseTo(mixed[1] as number, 5);
    expect(read.tokens?.[0]?.[0]).toBeCloseTo(mixed[3] as number, 5);
    expect(read.tokens?.[0]?.[1]).toBeCloseTo(mixed[1] as number, 5);
  });

  test("refuses teachers without logits and of another vocabulary", () => {
    const of =
      (...teachers: Teacher[]) =>
      () =>
        mixtureTeacher(teachers.map((teacher) => ({ teacher, weight: 1 })));
    expect(of(constantTeacher("a", a), constantTeacher("list", b, true))).toThrow(
      /teacher\.teachers: A mixture of probabilities needs the logits of every teacher, "list" gives only .*Use mode "route"/,
    );
    expect(of(constantTeacher("a", a), constantTeacher("five", [...b, 1]))).toThrow(
      /"a" has a vocabulary of 4 tokens, "five" of 5/,
    );
  });
});
