import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  forwardKl,
  lossTerm,
  reverseKl,
  sparseKl,
  type SparseKlOptions,
  sparseKlLoss,
} from "../../../../src/losses/index.js";

const student = [1, 2, 3, 0.5];
const teacher = [3, 1, 0.2, -1];
const byTeacher = [0, 1, 2, 3];
const byStudent = [2, 1, 0, 3];

/** Value at the first k of `order`. */
function valueAt(k: number, options: SparseKlOptions, order = byTeacher): number {
  return tf.tidy(() => {
    const logTeacher = [...tf.logSoftmax(tf.tensor1d(teacher)).dataSync()];
    const ids = order.slice(0, k);
    const top = ids.map((id) => logTeacher[id] as number);
    const inputs = [tf.tensor3d([[ids]], [1, 1, k], "int32"), tf.tensor3d([[top]])] as const;
    return sparseKl(tf.tensor3d([[student]]), ...inputs, options).dataSync()[0] as number;
  });
}

test.each<[SparseKlOptions["support"] & string, number[]]>([
  ["raw", [1.866238, 1.784496, 1.657638, 1.639035]],
  ["tail", [1.575802, 1.631443, 1.639035, 1.639035]],
  ["renormalized", [0, 0.828725, 1.645049, 1.639035]],
  ["teacher-renormalized", [2.460773, 1.976237, 1.698217, 1.639035]],
])("forward KL on the teacher's top tokens, %s", (support, expected) => {
  const values = [1, 2, 3, 4].map((k) => valueAt(k, { support }));
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
});

test.each<[SparseKlOptions["support"] & string, number[]]>([
  ["raw", [1.598137, 1.768357, 1.574871, 1.638742]],
  ["tail", [1.249226, 1.520045, 1.638742, 1.638742]],
])("reverse KL on the student's top tokens, %s", (support, expected) => {
  const values = [1, 2, 3, 4].map((k) => valueAt(k, { support, direction: "reverse" }, byStudent));
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
});

test("raw truncation can be negative where the KL is not; with a tail it is not", () => {
  const of = (support: "raw" | "tail") =>
    tf.tidy(() => {
      const logits = tf.tensor3d([[[Math.log(0.9), Math.log(0.1)]]]);
      const ids = tf.tensor3d([[[0]]], [1, 1, 1], "int32");
      return sparseKl(logits, ids, tf.tensor3d([[[Math.log(0.6)]]]), { support }).dataSync()[0];
    });
  expect(of("raw")).toBeCloseTo(-0.24328, 4);
  expect(of("tail")).toBeCloseTo(0.31124, 4);
});

test.each(["forward", "reverse"] as const)("%s KL with all tokens is the KL", (direction) => {
  const full = direction === "forward" ? forwardKl : reverseKl;
  const expected = tf.tidy(
    () => full(tf.tensor3d([[student]]), tf.tensor3d([[teacher]])).dataSync()[0] as number,
  );
  for (const support of ["raw", "tail", "renormalized", "teacher-renormalized"] as const) {
    expect(valueAt(4, { support, direction }), support).toBeCloseTo(expected, 5);
  }
});

test.each(["forward", "reverse"] as const)("%s: 0 with no gradient at the teacher", (direction) => {
  for (const support of ["tail", "renormalized"] as const) {
    const { value, gradient } = tf.tidy(() => {
      const ids = tf.tensor3d([[[0, 2]]], [1, 1, 2], "int32");
      const logTeacher = [...tf.logSoftmax(tf.tensor1d(teacher)).dataSync()];
      const top = tf.tensor3d([[[logTeacher[0] as number, logTeacher[2] as number]]]);
      const { value, grad } = tf.valueAndGrad((logits) =>
        sparseKl(logits as tf.Tensor3D, ids, top, { direction, support }).sum(),
      )(tf.tensor3d([[teacher]]));
      return { value: value.dataSync()[0] as number, gradient: [...grad.dataSync()] };
    });
    expect(Math.abs(value), support).toBeLessThan(1e-6);
    for (const g of gradient) expect(Math.abs(g), support).toBeLessThan(1e-6);
  }
});

test("a temperature is refused where the K tokens do not determine it", () => {
  expect(() => lossTerm(sparseKlLoss, { temperature: 2 })).toThrow(/"tail" needs temperature 1/);
  expect(() => lossTerm(sparseKlLoss, { temperature: 2, support: "raw" })).toThrow(/"raw" needs/);
  expect(() => lossTerm(sparseKlLoss, { temperature: 2, support: "renormalized" })).not.toThrow();
  expect(() => valueAt(2, { temperature: 2 })).toThrow(/needs temperature 1/);
});
