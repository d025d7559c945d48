/** One position whose values were computed in double precision from the definitions. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  adaptiveKl,
  crossEntropy,
  forwardKl,
  generalizedJsd,
  reverseKl,
  skewKl,
  type TemperatureOptions,
  universalLogit,
} from "../../../src/losses/index.js";

const student = [1, 2, 3, 0.5];
const teacher = [3, 1, 0.2, -1];

type Divergence = (student: tf.Tensor3D, teacher: tf.Tensor3D) => tf.Tensor2D;

function valueOf(divergence: Divergence, s = student, t = teacher): number {
  return tf.tidy(() => divergence(tf.tensor3d([[s]]), tf.tensor3d([[t]])).dataSync()[0] as number);
}

function gradientOf(divergence: Divergence): number[] {
  return tf.tidy(() => {
    const t = tf.tensor3d([[teacher]]);
    const gradient = tf.grad((s) => divergence(s as tf.Tensor3D, t));
    return [...gradient(tf.tensor3d([[student]])).dataSync()];
  });
}

describe("by temperature", () => {
  const jsd = (beta: number) => (s: tf.Tensor3D, t: tf.Tensor3D, options: TemperatureOptions) =>
    generalizedJsd(s, t, { beta, ...options });
  const squared = (s: tf.Tensor3D, t: tf.Tensor3D, options: TemperatureOptions) =>
    forwardKl(s, t, { ...options, temperatureSquared: true });

  test.each([
    ["forward KL", forwardKl, [3.98214042, 1.63903521, 0.46732584, 0.11164253]],
    ["reverse KL", reverseKl, [4.88685827, 1.63874158, 0.42941878, 0.10406632]],
    ["JSD, beta 0.5", jsd(0.5), [0.6138796, 0.3360721, 0.10593948, 0.02655396]],
    ["JSD, beta 0.25", jsd(0.25), [0.48921034, 0.26256388, 0.08207459, 0.02033345]],
    ["forward KL times τ²", squared, [0.99553511, 1.63903521, 1.86930337, 1.78628048]],
  ])("%s", (_name, divergence, expected) => {
    for (const [i, temperature] of [0.5, 1, 2, 4].entries()) {
      const value = valueOf((s, t) => divergence(s, t, { temperature }));
      expect(value, `temperature ${temperature}`).toBeCloseTo(expected[i] as number, 5);
    }
  });
});

test.each([
  ["skew KL, forward, alpha 0.1", (s, t) => skewKl(s, t), 1.13793482],
  ["skew KL, reverse, alpha 0.1", (s, t) => skewKl(s, t, { direction: "reverse" }), 1.12591338],
  ["adaptive KL, head mass 0.5", (s, t) => adaptiveKl(s, t), 1.6388884],
  ["universal logit", (s, t) => universalLogit(s, t), 0.38523003],
] as [string, Divergence, number][])("%s", (_name, divergence, expected) => {
  expect(valueOf(divergence)).toBeCloseTo(expected, 5);
});

test.each([
  ["forward KL", forwardKl, [-0.738042, 0.12062, 0.580724, 0.036698]],
  ["reverse KL", reverseKl, [-0.333384, -0.210061, 0.564427, -0.020982]],
  [
    "skew KL, reverse",
    (s, t) => skewKl(s, t, { direction: "reverse" }),
    [-0.246123, -0.059465, 0.303491, 0.002097],
  ],
  [
    "skew KL, reverse, with a detached mixture (DistiLLM-2)",
    (s, t) => skewKl(s, t, { direction: "reverse", detachMixture: true }),
    [-0.281588, -0.114905, 0.402198, -0.005705],
  ],
] as [string, Divergence, number[]][])("gradient of %s", (_name, divergence, expected) => {
  for (const [i, gradient] of gradientOf(divergence).entries()) {
    expect(gradient, `logit ${i}`).toBeCloseTo(expected[i] as number, 5);
  }
});

test.each([0.1, 0.5, 0.9])(
  "gradient of JSD at beta %d is (1 − β) S (log S/M − KL(S‖M))",
  (beta) => {
    const S = softmax(student);
    const T = softmax(teacher);
    const logRatio = S.map((p, v) => Math.log(p / (beta * (T[v] as number) + (1 - beta) * p)));
    const kl = S.reduce((sum, p, v) => sum + p * (logRatio[v] as number), 0);
    for (const [v, gradient] of gradientOf((s, t) => generalizedJsd(s, t, { beta })).entries()) {
      const expected = (1 - beta) * (S[v] as number) * ((logRatio[v] as number) - kl);
      expect(gradient, `logit ${v}`).toBeCloseTo(expected, 5);
    }
  },
);

describe("S = (.6, .3, .1), T = (.5, .4, .1)", () => {
  const s = [0.6, 0.3, 0.1].map(Math.log);
  const t = [0.5, 0.4, 0.1].map(Math.log);

  test("both KLs", () => {
    expect(valueOf(forwardKl, s, t)).toBeCloseTo(0.02391205, 6);
    expect(valueOf(reverseKl, s, t)).toBeCloseTo(0.02308831, 6);
  });

  test.each([
    [0.01, 0.00023662],
    [0.1, 0.00214256],
    [0.25, 0.00443591],
    [0.5, 0.00585954],
    [0.75, 0.00435919],
    [0.9, 0.00208344],
    [0.99, 0.00022863],
  ])("JSD at beta %d", (beta, expected) => {
    expect(valueOf((a, b) => generalizedJsd(a, b, { beta }), s, t)).toBeCloseTo(expected, 6);
  });

  test.each([
    [0.1, 0.02381],
    [0.5, 0.02344],
    [0.9, 0.02315],
  ])("normalized JSD at beta %d", (beta, expected) => {
    const value = valueOf((a, b) => generalizedJsd(a, b, { beta, normalized: true }), s, t);
    expect(value).toBeCloseTo(expected, 5);
  });
});

test("swapping (.1, .9) and (.9, .1) gives 0.8 ln 9 in both directions", () => {
  const pair: [number[], number[]] = [[0.1, 0.9].map(Math.log), [0.9, 0.1].map(Math.log)];
  for (const divergence of [forwardKl, reverseKl]) {
    expect(valueOf(divergence, ...pair)).toBeCloseTo(1.7577796619, 5);
  }
});

test("cross-entropy with and without label smoothing", () => {
  const logits = [0.5, 0.25, 0.125, 0.125].map(Math.log);
  const value = (labelSmoothing: number) =>
    tf.tidy(() => {
      const labels = tf.tensor2d([[1]], [1, 1], "int32");
      return crossEntropy(tf.tensor3d([[logits]]), labels, { labelSmoothing }).dataSync()[0];
    });
  expect(value(0)).toBeCloseTo(Math.log(4), 6);
  // 0.8 of the label plus 0.2 of the mean over the vocabulary (ln 2 + ln 4 + 2 ln 8) / 4 = 9/4 ln 2.
  expect(value(0.2)).toBeCloseTo((0.8 * 2 + 0.2 * 2.25) * Math.LN2, 6);
});

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / total);
}
