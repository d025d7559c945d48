import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  crossEntropyLoss,
  forwardKlLoss,
  type LossTerm,
  lossTerm,
  negativeEntropyLoss,
  policyGradientLoss,
  reverseKlLoss,
  sampledReverseKlLoss,
} from "../../../src/losses/index.js";
import { pushOnLogits, termsOfTokens } from "../../../playground/src/training/logit-gradients.js";

const student = [
  [0.5, -1, 2],
  [1, 0, -0.5],
];
const teacher = [
  [1, 1, -1],
  [-0.5, 2, 0.25],
];
const labels = [2, 0];

const softmax = (z: readonly number[]) => {
  const e = z.map(Math.exp);
  const sum = e.reduce((a, b) => a + b);
  return e.map((x) => x / sum);
};

/** −∂/∂z of the loss of one position, by the formulas of the losses. */
const formulas: Record<string, (s: number[], t: number[], y: number) => number[]> = {
  "forward-kl": (s, t) => s.map((p, v) => (t[v] as number) - p),
  "reverse-kl": (s, t) => {
    const logs = s.map((p, v) => Math.log(p / (t[v] as number)));
    const kl = s.reduce((sum, p, v) => sum + p * (logs[v] as number), 0);
    return s.map((p, v) => -p * ((logs[v] as number) - kl));
  },
  "policy-gradient": (s, t, y) => {
    const advantage = Math.log((t[y] as number) / (s[y] as number));
    return s.map((p, v) => advantage * (Number(v === y) - p));
  },
};

function pushes(terms: readonly LossTerm[], progress = 0): number[][] {
  const push = tf.tidy(() =>
    pushOnLogits(
      terms,
      {
        studentLogits: tf.tensor3d([student]),
        teacherLogits: tf.tensor3d([teacher]),
        labels: tf.tensor2d([labels], undefined, "int32"),
      },
      progress,
    ),
  );
  const [rows] = push.arraySync();
  push.dispose();
  return rows as number[][];
}

describe("what a step does to the logits of a token", () => {
  test.each([
    lossTerm(forwardKlLoss, {}),
    lossTerm(reverseKlLoss, {}),
    lossTerm(policyGradientLoss, {}),
  ])("$definition.name: as its formula says", (term) => {
    const found = pushes([term]);
    const formula = formulas[term.definition.name] as (typeof formulas)[string];
    for (const [t, y] of labels.entries()) {
      const expected = formula(softmax(student[t] as number[]), softmax(teacher[t] as number[]), y);
      for (const [v, value] of expected.entries()) expect(found[t]?.[v]).toBeCloseTo(value, 5);
    }
  });

  test("terms add up with their weights, as they are at this point of the training", () => {
    const schedule = { from: 1, to: 0, shape: "linear", begin: 0, end: 1 } as const;
    const both = pushes(
      [lossTerm(forwardKlLoss, {}, 0.5), lossTerm(reverseKlLoss, {}, schedule)],
      0.75,
    );
    const forward = pushes([lossTerm(forwardKlLoss, {})]);
    const reverse = pushes([lossTerm(reverseKlLoss, {})]);
    for (const [t, row] of both.entries()) {
      for (const [v, value] of row.entries()) {
        const expected = 0.5 * (forward[t]?.[v] as number) + 0.25 * (reverse[t]?.[v] as number);
        expect(value).toBeCloseTo(expected, 5);
      }
    }
  });

  test("what a row has no value of is left out", () => {
    const all = [
      lossTerm(crossEntropyLoss, {}),
      lossTerm(sampledReverseKlLoss, {}),
      lossTerm(negativeEntropyLoss, {}),
    ];
    const names = (isOwn: boolean) =>
      termsOfTokens(all, { isOwn, hasLists: false }).map((t) => t.definition.name);
    expect(names(true)).toEqual(["sampled-reverse-kl", "negative-entropy"]);
    expect(names(false)).toEqual(["cross-entropy", "negative-entropy"]);
  });
});
