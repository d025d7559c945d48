import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { inverseFrequencies, rotary, rotaryTables } from "../../../src/ops/index.js";

const plain = (headDim: number, theta: number) => ({
  inverse: [inverseFrequencies(headDim, theta)],
  factor: 1,
});

test.each([10_000, 500_000])("angles are right to 2e-6 up to position 8191, theta %d", (theta) => {
  const positions = [0, 1, 2, 63, 64, 1023, 2048, 4095, 8191];
  const headDim = 16;
  const ids = tf.tensor2d([positions, [...positions].reverse()], undefined, "int32");
  const before = tf.memory().numTensors;
  const { cos, sin } = rotaryTables(ids, plain(headDim, theta));
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
        const { cos, sin } = rotaryTables(ids, plain(4, 100));
        return rotary(tf.tensor4d(values, [1, 1, 1, 4]), cos, sin);
      };
      const [q, k] = [turn([1, -2, 0.5, 3], first), turn([0.3, 1, -1, 2], second)];
      return q.mul(k).sum().dataSync()[0] as number;
    });
  expect(product(9, 4)).toBeCloseTo(product(105, 100), 4);
  expect(product(9, 4)).not.toBeCloseTo(product(9, 5), 2);
});

test("rows choose among several lists, and a factor goes to cosine and sine", () => {
  tf.tidy(() => {
    const ids = tf.tensor2d(
      [
        [1, 2],
        [1, 2],
      ],
      undefined,
      "int32",
    );
    const frequencies = {
      inverse: [
        [0.5, 0.1],
        [0.25, 3],
      ],
      factor: 2,
    };
    const { cos, sin } = rotaryTables(ids, frequencies, tf.tensor1d([1, 0], "int32"));
    const angles = [0.25, 3, 0.5, 6, 0.5, 0.1, 1, 0.2];
    const [c, s] = [cos.dataSync(), sin.dataSync()];
    for (const [i, angle] of angles.entries()) {
      expect(c[i]).toBeCloseTo(2 * Math.cos(angle), 5);
      expect(s[i]).toBeCloseTo(2 * Math.sin(angle), 5);
    }
    expect(() => rotaryTables(ids, frequencies)).toThrow("2 lists of frequencies and no choice");
  });
});

test("an odd head size is refused", () => {
  expect(() => inverseFrequencies(5, 100)).toThrow("even width: 5");
});
