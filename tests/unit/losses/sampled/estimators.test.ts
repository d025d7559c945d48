/**
 * The expected gradient of every estimator, by going through all tokens that the student can sample.
 * The table of docs/losses.md, "Estimators as losses".
 */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../src/config/index.js";
import {
  lossTermSchema,
  policyGradient,
  type SampledKlEstimator,
  sampledReverseKl,
} from "../../../../src/losses/index.js";
import { logProbsFromLogits } from "../../../../src/ops/index.js";

const student = [1, 2, 3, 0.5];
const teacher = [3, 1, 0.2, -1];
const reverseKlGradient = [-0.333384, -0.210061, 0.564427, -0.020982];
const forwardKlGradient = [-0.738042, 0.12062, 0.580724, 0.036698];
const reverseKlValue = 1.63874158;

/** A loss of the log-probabilities of every token of the vocabulary, one "position" each. */
type OfTokens = (student: tf.Tensor2D, teacher: tf.Tensor2D) => tf.Tensor2D;

/** E over y ~ S, with S as a constant: the sampling is not differentiated. */
function expectation(loss: OfTokens): { value: number; gradient: number[] } {
  return tf.tidy(() => {
    const logTeacher = tf.logSoftmax(tf.tensor2d([teacher]));
    const weights = tf.softmax(tf.tensor2d([student]));
    const { value, grad } = tf.valueAndGrad((logits) => {
      const logProbs = logProbsFromLogits(logits.reshape([1, 1, 4])).reshape<tf.Tensor2D>([1, 4]);
      return loss(logProbs, logTeacher).mul(weights).sum();
    })(tf.tensor1d(student));
    return { value: value.dataSync()[0] as number, gradient: [...grad.dataSync()] };
  });
}

function expectGradient(actual: readonly number[], expected: readonly number[]): void {
  for (const [v, g] of actual.entries())
    expect(g, `logit ${v}`).toBeCloseTo(expected[v] as number, 5);
}

describe("expected gradient", () => {
  test.each<[SampledKlEstimator, number[]]>([
    ["k2", reverseKlGradient],
    ["policy-gradient", reverseKlGradient],
    ["k3-forward-gradient", forwardKlGradient],
    ["k1-no-gradient", [0, 0, 0, 0]],
  ])("of %s", (estimator, expected) => {
    const { value, gradient } = expectation((s, t) => sampledReverseKl(s, t, { estimator }));
    expectGradient(gradient, expected);
    if (estimator !== "k2") expect(value).toBeCloseTo(reverseKlValue, 5);
  });

  test("of policy-gradient with log T − log S as the advantage is that of the reverse KL", () => {
    const unclipped = { clipLow: null, clipHigh: null };
    const { gradient } = expectation((s, t) => {
      const old = s.clone();
      return policyGradient(s, old, t.sub(old), unclipped);
    });
    expectGradient(gradient, reverseKlGradient);
  });
});

test("samples of an older policy are corrected by the ratio", () => {
  const { gradient } = tf.tidy(() => {
    const logTeacher = tf.logSoftmax(tf.tensor2d([teacher]));
    const old = tf.logSoftmax(tf.tensor2d([[0, 1, 1, 0]]));
    const gradient = tf.grad((logits) => {
      const logProbs = logProbsFromLogits(logits.reshape([1, 1, 4])).reshape<tf.Tensor2D>([1, 4]);
      const loss = policyGradient(
        logProbs,
        old as tf.Tensor2D,
        logTeacher.sub(tf.logSoftmax(tf.tensor2d([student]))) as tf.Tensor2D,
        {
          clipLow: null,
          clipHigh: null,
        },
      );
      return loss.mul(old.exp()).sum();
    })(tf.tensor1d(student));
    return { gradient: [...gradient.dataSync()] };
  });
  expectGradient(gradient, reverseKlGradient);
});

describe("by their bare names", () => {
  const message = (estimator: string): string => {
    try {
      parseConfig(lossTermSchema, { type: "sampled-reverse-kl", estimator }, "test");
    } catch (error) {
      return (error as Error).message;
    }
    return "accepted";
  };

  test("k1 and k3 are refused with the reason and the way out", () => {
    expect(message("k1")).toMatch(
      /expected gradient of exactly 0.*"policy-gradient".*"k1-no-gradient".*docs\/losses\.md/,
    );
    expect(message("k3")).toMatch(/KL\(teacher ‖ student\).*"k3-forward-gradient"/);
    expect(message("k4")).toMatch(/k2.*policy-gradient/);
    expect(message("k2")).toBe("accepted");
  });

  test("also by the function itself", () => {
    const tokens = tf.zeros<tf.Rank.R2>([1, 1]);
    const k1 = { estimator: "k1" } as object;
    expect(() => sampledReverseKl(tokens, tokens, k1)).toThrow(/nothing would be learned/);
    tokens.dispose();
  });
});
