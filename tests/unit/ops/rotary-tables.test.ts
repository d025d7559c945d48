import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { rotary, rotaryTables } from "../../../src/ops/index.js";

test.each([10_000, 500_000])("angles are right to 2e-6 up to position 8191, theta %d", (theta) => {
  const positions = [0, 1, 2, 63, 64, 1023, 2048, 4095, 8191];
  const headDim = 16;
  const ids = tf.tensor2d([positions, [...positions].reverse()], undefined, "int32");
  const before = tf.memory().numTensors;
  const { cos, sin } = rotaryTables(ids, headDim, theta);
  expect(tf.memory().numTensors).toBe(before + 2);
  expect(cos.shape).toEqual([2, positions.length, headDim / 2]);
  const [c, s] = [cos.dataSync(), sin.dataSync()];
  let worst = 0;
  for (const [t, position] of positions.entries()) {
    for (let i = 0; i < headDim / 2; i++) {
      const angle = position * theta ** ((-2 * i) / headDim);
      const [a, b] = [c[t * 8 + i] as number, s[t * 8 + i] as number];
      worst = Math.max(worst, Math.abs(a - Math.cos(angle)), Math.abs(b - Math.sin(angle)));
    }
  }
  expect(worst).toBeLessThan(2e-6);
  tf.dispose([ids, cos, sin]);
});

test("the product of two turned vectors depends on the distance of their positions only", () => {
  const product = (first: number, second: number) =>
    tf.tidy(() => {
      const turn = (values: number[], position: number) => {
        const ids = tf.tensor2d([[position]], [1, 1], "int32");
        const { cos, sin } = rotaryTables(ids, 4, 100);
        return rotary(tf.tensor4d(values, [1, 1, 1, 4]), cos, sin);
      };
      const [q, k] = [turn([1, -2, 0.5, 3], first), turn([0.3, 1, -1, 2], second)];
      return q.mul(k).sum().dataSync()[0] as number;
    });
  expect(product(9, 4)).toBeCloseTo(product(105, 100), 4);
  expect(product(9, 4)).not.toBeCloseTo(product(9, 5), 2);
});

test("an odd head size is refused", () => {
  const ids = tf.tensor2d([[0]], [1, 1], "int32");
  expect(() => rotaryTables(ids, 5, 100)).toThrow("even headDim");
  ids.dispose();
});
