import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { reverseKl, studentSupportKl } from "../../../../src/losses/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { compareSupports, type SupportComparison } from "../../../../src/trainers/index.js";

const V = 8;
const N = 3;
const logits = (seed: number, scale: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length: N * V }, () => scale * random.normal());
};
const models = { student: logits(1, 1), teacher: logits(2, 1.5), vocabSize: V };

describe("compareSupports", () => {
  let result: SupportComparison;
  beforeAll(async () => {
    result = await compareSupports(models, { ks: [2, V], draws: 60, random: new Random(1) });
  });
  const row = (direction: string, way: string, k: number) => {
    const found = result.rows.find((r) => r.direction === direction && r.way === way && r.k === k);
    if (found === undefined) throw new Error(`There is no row ${direction} ${way} ${k}.`);
    return found;
  };

  test.each(["forward", "reverse"])(
    "lists of all tokens have the %s gradient itself",
    (direction) => {
      for (const way of ["raw", "renormalized", "teacher-renormalized", "tail", "generalized"]) {
        const { biasSquared, variance, cosine } = row(direction, `top-k ${way}`, V);
        expect(biasSquared.value, way).toBeLessThan(1e-6);
        expect(variance.value).toBe(0);
        expect(cosine.value).toBeCloseTo(1, 5);
      }
      expect(result.teacherMass[V]).toBeCloseTo(1, 6);
      expect(result.teacherMass[2]).toBeLessThan(1);
    },
  );

  test("the likeliest tokens alone give another gradient", () => {
    for (const direction of ["forward", "reverse"]) {
      expect(row(direction, "top-k raw", 2).biasSquared.value).toBeGreaterThan(0.001);
      expect(row(direction, "top-k generalized", 2).cosine.value).toBeGreaterThan(0);
    }
  });

  test.each([
    ["forward", "teacher sampled"],
    ["reverse", "student top-k + tail"],
    ["reverse", "tokens k1 as advantage"],
    ["reverse", "tokens k2"],
  ])("%s, %s is right on average, with less noise the more is drawn", (direction, way) => {
    const few = row(direction, way, 2);
    const { biasSquared } = few;
    expect(Math.abs(biasSquared.value)).toBeLessThan(4 * biasSquared.standardError + 1e-6);
    expect(few.variance.value).toBeGreaterThan(0);
    expect(row(direction, way, V).variance.value).toBeLessThan(few.variance.value);
  });

  test("k1 as a loss is nothing but noise; k3 goes another way", () => {
    const { biasSquared, cosine } = row("reverse", "tokens k1 as a loss", V);
    expect(Math.abs(biasSquared.value - 1)).toBeLessThan(4 * biasSquared.standardError);
    expect(Math.abs(cosine.value)).toBeLessThan(5 * cosine.standardError);
    const k3 = row("reverse", "tokens k3", V).biasSquared;
    expect(k3.value).toBeGreaterThan(3 * k3.standardError);
  });

  test("a row is the same whatever else is asked for", async () => {
    const few = await compareSupports(models, { ks: [2], draws: 60, random: new Random(1) });
    expect(
      few.rows.every((r) => result.rows.some((s) => JSON.stringify(s) === JSON.stringify(r))),
    ).toBe(true);
  });
});

test("the student's top tokens and one of the rest: value and gradient are right on average", () => {
  const [student, teacher] = [models.student, models.teacher].map((x) => x.subarray(0, V));
  tf.tidy(() => {
    const x = tf.tensor3d(student as Float32Array, [1, 1, V]);
    const t = tf.tensor3d(teacher as Float32Array, [1, 1, V]);
    const logTeacher = tf.logSoftmax(t).dataSync();
    const probabilities = tf.softmax(x).dataSync();
    const order = [...probabilities.keys()].sort(
      (a, b) => (probabilities[b] as number) - (probabilities[a] as number),
    );
    const [top, rest] = [order.slice(0, 2), order.slice(2)];
    const mass = rest.reduce((sum, id) => sum + (probabilities[id] as number), 0);
    const expected = tf.valueAndGrad((y: tf.Tensor) => reverseKl(y as tf.Tensor3D, t).sum())(x);
    let value = 0;
    const gradient = new Float64Array(V);
    for (const id of rest) {
      const share = (probabilities[id] as number) / mass;
      const ids = [...top, id];
      const one = tf.valueAndGrad((y: tf.Tensor) =>
        studentSupportKl({
          studentLogits: y as tf.Tensor3D,
          tokenIds: tf.tensor3d([[ids]], undefined, "int32"),
          teacherLogProbs: tf.tensor3d([[ids.map((i) => logTeacher[i] as number)]]),
          expectedCounts: tf.tensor3d([[[1, 1, share]]]),
        }).sum(),
      )(x);
      value += share * (one.value.dataSync()[0] as number);
      for (const [i, g] of one.grad.dataSync().entries()) {
        gradient[i] = (gradient[i] as number) + share * g;
      }
    }
    expect(value).toBeCloseTo(expected.value.dataSync()[0] as number, 5);
    for (const [i, g] of expected.grad.dataSync().entries()) expect(gradient[i]).toBeCloseTo(g, 5);
  });
});
