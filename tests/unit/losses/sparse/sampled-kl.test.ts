/** Means over all possible draws, so that unbiased means equal and not about equal. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { sampledKl, sparseKl } from "../../../../src/losses/index.js";

const student = [1, 2, 3, 0.5];
const teacher = [3, 1, 0.2, -1];
const fullValue = 1.63903521;
const fullGradient = [-0.738042, 0.12062, 0.580724, 0.036698];

interface Mean {
  readonly value: number;
  readonly gradient: number[];
}

/** Value and gradient averaged over all pairs of tokens that a proposal can draw. */
function meanOverDraws(proposalTemperature: number, normalizeWeights = false): Mean {
  return tf.tidy(() => {
    const logTeacher = [...tf.logSoftmax(tf.tensor1d(teacher)).dataSync()];
    const logProposal = [
      ...tf.logSoftmax(tf.tensor1d(teacher).div(proposalTemperature)).dataSync(),
    ];
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b] as const));
    const of = (table: number[]) => pairs.map((pair) => pair.map((id) => table[id] as number));
    const weights = of(logProposal).map(([a = 0, b = 0]) => Math.exp(a + b));
    const ids = tf.tensor3d([pairs.map((pair) => [...pair])], [1, 16, 2], "int32");
    const { value, grad } = tf.valueAndGrad((logits) => {
      const all = logits.reshape([1, 1, 4]).tile<tf.Tensor3D>([1, 16, 1]);
      const values = sampledKl(all, ids, tf.tensor3d([of(logTeacher)]), {
        teacherSampleLogProbs: tf.tensor3d([of(logProposal)]),
        normalizeWeights,
      });
      return values.mul(tf.tensor2d([weights])).sum();
    })(tf.tensor1d(student));
    return { value: value.dataSync()[0] as number, gradient: [...grad.dataSync()] };
  });
}

test.each([1, 2, 5])("is unbiased for draws at temperature %d", (temperature) => {
  const { value, gradient } = meanOverDraws(temperature);
  expect(value).toBeCloseTo(fullValue, 5);
  for (const [v, g] of gradient.entries()) expect(g).toBeCloseTo(fullGradient[v] as number, 5);
});

test("normalized weights are biased, except for draws from the teacher itself", () => {
  expect(meanOverDraws(1, true).value).toBeCloseTo(fullValue, 5);
  expect(Math.abs(meanOverDraws(2, true).value - fullValue)).toBeGreaterThan(0.05);
});

test("the likeliest tokens in place of draws are biased, however they are weighted", () => {
  const [top, renormalized] = tf.tidy(() => {
    const logTeacher = [...tf.logSoftmax(tf.tensor1d(teacher)).dataSync()];
    const inputs = [
      tf.tensor3d([[student]]),
      tf.tensor3d([[[0, 1]]], [1, 1, 2], "int32"),
      tf.tensor3d([[logTeacher.slice(0, 2)]]),
    ] as const;
    const values = [sampledKl(...inputs), sparseKl(...inputs, { support: "teacher-renormalized" })];
    return values.map((value) => value.dataSync()[0] as number) as [number, number];
  });
  expect(Math.abs(top - fullValue)).toBeGreaterThan(0.3);
  expect(Math.abs(renormalized - fullValue)).toBeGreaterThan(0.3);
});
