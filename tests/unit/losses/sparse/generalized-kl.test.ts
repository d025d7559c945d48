import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  forwardKl,
  generalizedForwardKl,
  generalizedReverseKl,
  reverseKl,
} from "../../../../src/losses/index.js";

const student = [1, 2, 3, 0.5];
const teacher = [3, 1, 0.2, -1];

/** Value on the first k tokens, and its gradient. */
function at(loss: typeof generalizedReverseKl, k: number, logits = student): [number, number[]] {
  return tf.tidy(() => {
    const top = tf.logSoftmax(tf.tensor1d(teacher)).slice(0, k).reshape<tf.Tensor3D>([1, 1, k]);
    const ids = tf.range(0, k, 1, "int32").reshape<tf.Tensor3D>([1, 1, k]);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
      loss(x as tf.Tensor3D, ids, top).sum(),
    )(tf.tensor3d([[logits]]));
    return [value.dataSync()[0] as number, [...grad.dataSync()]];
  });
}

describe.each([
  ["forward", generalizedForwardKl, forwardKl],
  ["reverse", generalizedReverseKl, reverseKl],
] as const)("generalized %s KL", (direction, loss, full) => {
  test("with all tokens is the KL, and grows towards it with every token", () => {
    const whole = tf.tidy(
      () => full(tf.tensor3d([[student]]), tf.tensor3d([[teacher]])).dataSync()[0] as number,
    );
    const values = [1, 2, 3, 4].map((k) => at(loss, k)[0]);
    expect(values[3]).toBeCloseTo(whole, 5);
    for (const [i, value] of values.entries()) {
      expect(value).toBeGreaterThan(values[i - 1] ?? 0);
      expect(value).toBeLessThan(whole + 1e-5);
    }
  });

  test("by hand on one token", () => {
    const p = (logits: readonly number[]) =>
      Math.exp(logits[0] as number) / logits.reduce((sum, x) => sum + Math.exp(x), 0);
    const [s, t] = [p(student), p(teacher)];
    const expected =
      direction === "forward" ? t * Math.log(t / s) - t + s : s * Math.log(s / t) - s + t;
    expect(at(loss, 1)[0]).toBeCloseTo(expected, 5);
  });

  test("is 0 with gradient 0 where both agree on the K tokens, whatever the rest", () => {
    const agrees = at(loss, 2, teacher);
    expect(agrees[0]).toBeCloseTo(0, 6);
    for (const gradient of agrees[1]) expect(gradient).toBeCloseTo(0, 6);
    // The same mass outside, spread the other way round.
    const swapped = at(loss, 2, [3, 1, -1, 0.2]);
    expect(swapped[0]).toBeCloseTo(0, 6);
    for (const gradient of swapped[1]) expect(gradient).toBeCloseTo(0, 6);
  });
});
