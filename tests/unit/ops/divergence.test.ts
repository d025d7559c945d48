import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  crossEntropyFromLogits,
  forwardKlFromLogits,
  generalizedJsdFromLogits,
  reverseKlFromLogits,
  tokenLogProbs,
} from "../../../src/ops/index.js";

type Logits = readonly (readonly number[])[];
type Divergence = (student: tf.Tensor3D, teacher: tf.Tensor3D) => tf.Tensor;

function evaluate(f: Divergence, student: Logits, teacher: Logits) {
  return tf.tidy(() => {
    const [s, t] = [tf.tensor3d([student as number[][]]), tf.tensor3d([teacher as number[][]])];
    const value = f(s, t);
    const gradient = tf.grad((x: tf.Tensor) => f(x as tf.Tensor3D, t))(s);
    return { value: [...value.dataSync()], gradient: [...gradient.dataSync()] };
  });
}

const divergences: [string, Divergence][] = [0.5, 1, 2, 4].flatMap((temperature) => {
  const jsd =
    (beta: number, normalized: boolean): Divergence =>
    (s, t) =>
      generalizedJsdFromLogits(s, t, { temperature, beta, normalized });
  return [
    ["forward", (s, t) => forwardKlFromLogits(s, t, { temperature })],
    ["reverse", (s, t) => reverseKlFromLogits(s, t, { temperature })],
    ["jsd 0.5", jsd(0.5, false)],
    ["jsd 0.25", jsd(0.25, false)],
    ["jsd 0.01 normalized", jsd(0.01, true)],
  ] satisfies [string, Divergence][];
});

const student = [[1, 2, 3, 0.5]];
const teacher = [[3, 1, 0.2, -1]];

test("known values at four temperatures, from double precision", () => {
  const rows = [
    [3.98214042, 4.88685827, 0.6138796, 0.48921034],
    [1.63903521, 1.63874158, 0.3360721, 0.26256388],
    [0.46732584, 0.42941878, 0.10593948, 0.08207459],
    [0.11164253, 0.10406632, 0.02655396, 0.02033345],
  ];
  const found = divergences
    .filter(([name]) => !name.includes("normalized"))
    .map(([, f]) => evaluate(f, student, teacher).value[0] as number);
  for (const [i, expected] of rows.flat().entries()) expect(found[i]).toBeCloseTo(expected, 6);
});

test("known gradients of forward and reverse KL", () => {
  const forward = evaluate(
    (s, t) => forwardKlFromLogits(s, t, { temperature: 1 }),
    student,
    teacher,
  );
  const reverse = evaluate(
    (s, t) => reverseKlFromLogits(s, t, { temperature: 1 }),
    student,
    teacher,
  );
  for (const [i, g] of [-0.738042, 0.12062, 0.580724, 0.036698].entries()) {
    expect(forward.gradient[i]).toBeCloseTo(g, 5);
  }
  for (const [i, g] of [-0.333384, -0.210061, 0.564427, -0.020982].entries()) {
    expect(reverse.gradient[i]).toBeCloseTo(g, 5);
  }
});

const anyLogits: Logits = [
  [0.3, -1.7, 12.1, 0, -4.4],
  [1e4, -1e4, 9999, -1e9, 3.3],
  [-1e9, -1e9, -1e9, 0.1, -1e9],
  [-1e9, -1e9, -1e9, -1e9, -1e9],
];

test.each(divergences)("%s: exactly 0, with gradient 0, where the logits are equal", (_, f) => {
  const { value, gradient } = evaluate(f, anyLogits, anyLogits);
  expect(value.every((v) => v === 0)).toBe(true);
  expect(gradient.every((g) => g === 0)).toBe(true);
});

test.each(divergences)("%s: finite for extreme logits, and 0 for a vocabulary of one", (_, f) => {
  const reversed = [...anyLogits].reverse();
  for (const [s, t] of [
    [anyLogits, reversed],
    [reversed, anyLogits],
  ] as const) {
    const { value, gradient } = evaluate(f, s, t);
    expect([...value, ...gradient].every(Number.isFinite)).toBe(true);
    expect(value.every((v) => v >= -1e-6)).toBe(true);
  }
  expect(evaluate(f, [[3], [-2]], [[1], [5]])).toEqual({ value: [0, 0], gradient: [0, 0] });
});

test.each(divergences)("%s: unchanged by a constant added to all logits of a position", (_, f) => {
  const plain = evaluate(f, student, teacher);
  const shifted = evaluate(f, [[9, 10, 11, 8.5]], [[-5, -7, -7.8, -9]]);
  expect(shifted.value[0]).toBeCloseTo(plain.value[0] as number, 5);
});

test("generalized JSD at beta 0 and 1 is forward and reverse KL, and the normalized one nears them", () => {
  const at = (beta: number, normalized: boolean) =>
    evaluate(
      (s, t) => generalizedJsdFromLogits(s, t, { temperature: 1, beta, normalized }),
      [[Math.log(0.6), Math.log(0.3), Math.log(0.1)]],
      [[Math.log(0.5), Math.log(0.4), Math.log(0.1)]],
    ).value[0] as number;
  for (const normalized of [true, false]) {
    expect(at(0, normalized)).toBeCloseTo(0.02391205, 6);
    expect(at(1, normalized)).toBeCloseTo(0.02308831, 6);
  }
  const beta = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99];
  const expected = [
    0.00023662, 0.00214256, 0.00443591, 0.00585954, 0.00435919, 0.00208344, 0.00022863,
  ];
  for (const [i, b] of beta.entries()) {
    expect(at(b, false)).toBeCloseTo(expected[i] as number, 6);
    expect(at(b, true)).toBeCloseTo((expected[i] as number) / (b * (1 - b)), 4);
  }
  expect(at(1e-5, true)).toBeCloseTo(at(0, true), 5);
  expect(at(1 - 1e-5, true)).toBeCloseTo(at(1, true), 5);
});

test("a small step away from the teacher is seen: the precision near 0 is relative", () => {
  // KL ≈ ½ Σ p ε²: here about 1e-6, where float32 logarithms alone would give noise of 1e-7.
  const step = 2 ** -9;
  const near = [[step, 0, 0, 0]];
  const { value } = evaluate(
    (s, t) => generalizedJsdFromLogits(s, t, { temperature: 1, beta: 0.5, normalized: true }),
    near,
    [[0, 0, 0, 0]],
  );
  const expected = 0.5 * 0.25 * 0.75 * step ** 2;
  expect(Math.abs((value[0] as number) - expected)).toBeLessThan(0.25 * expected);
});

test("a wrong temperature, beta or shape is refused", () => {
  const s = tf.zeros<tf.Rank.R3>([1, 1, 3]);
  const other = tf.zeros<tf.Rank.R3>([1, 1, 4]);
  expect(() => forwardKlFromLogits(s, s, { temperature: 0 })).toThrow("temperature");
  expect(() => reverseKlFromLogits(s, other, { temperature: 1 })).toThrow("teacherLogits");
  expect(() =>
    generalizedJsdFromLogits(s, s, { temperature: 1, beta: 1.5, normalized: false }),
  ).toThrow("beta");
  tf.dispose([s, other]);
});

test("token log-probabilities are minus the cross-entropy, in one tensor", () => {
  const logits = tf.tensor3d([[...student, [0, 0, 0, 0]]]);
  const ids = tf.tensor2d([[2, 1]], [1, 2], "int32");
  const before = tf.memory().numTensors;
  const logProbs = tokenLogProbs(logits, ids);
  expect(tf.memory().numTensors).toBe(before + 1);
  const crossEntropy = crossEntropyFromLogits(logits, ids);
  const found = [...logProbs.dataSync()];
  expect(found[0]).toBeCloseTo(Math.log(0.630796), 5);
  expect(found[1]).toBeCloseTo(-Math.log(4), 6);
  expect(found).toEqual([...crossEntropy.dataSync()].map((v) => -v));
  tf.dispose([logits, ids, logProbs, crossEntropy]);
});
