import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { causalAttention } from "../../../src/ops/index.js";
import { Random } from "../../../src/tensors/index.js";

const random = new Random(11);
const normal = (...shape: [number, number, number, number]) =>
  tf.tensor4d(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape,
  );

test("decoding token by token gives what one pass gives", () => {
  const [q, k, v] = [normal(1, 4, 4, 2), normal(1, 4, 2, 2), normal(1, 4, 2, 2)];
  const [whole, pieces] = tf.tidy(() => {
    const steps = [0, 1, 2, 3].map((t) => {
      const upTo = (x: tf.Tensor4D) => x.slice([0, 0, 0, 0], [1, t + 1, 2, 2]);
      return causalAttention(q.slice([0, t, 0, 0], [1, 1, 4, 2]), upTo(k), upTo(v));
    });
    return [causalAttention(q, k, v), tf.concat(steps, 1)].map((x) => x.dataSync());
  });
  for (const [i, value] of (whole as Float32Array).entries()) {
    expect(pieces?.[i]).toBeCloseTo(value, 5);
  }
  tf.dispose([q, k, v]);
});

test("later keys and masked keys have no influence and no gradient", () => {
  const [q, k, v] = [normal(1, 3, 1, 2), normal(1, 3, 1, 2), normal(1, 3, 1, 2)];
  const mask = tf.tensor2d([[0, 1, 1]]);
  const firstRows = tf.tensor4d([1, 1, 1, 1, 0, 0], [1, 3, 1, 2]);
  const gradients = tf.grads((...[query, key, value]) =>
    causalAttention(query as tf.Tensor4D, key as tf.Tensor4D, value as tf.Tensor4D, mask).mul(
      firstRows,
    ),
  )([q, k, v]);
  const [dq, dk, dv] = gradients.map((g) => [...g.dataSync()]);
  // Query 0 sees nothing (key 0 is masked), query 1 sees key 1, query 2 is not asked about.
  expect(dv).toEqual([0, 0, 1, 1, 0, 0]);
  expect(dk?.every((g) => Math.abs(g) < 1e-6)).toBe(true);
  expect(dk?.[0]).toBe(0);
  expect(dq?.slice(0, 2)).toEqual([0, 0]);
  tf.dispose([q, k, v, mask, firstRows, gradients]);
});

test("heads that do not divide, too few keys and a wrong mask are refused", () => {
  const [three, two, mask] = [normal(1, 2, 3, 2), normal(1, 2, 2, 2), tf.ones<tf.Rank.R2>([1, 3])];
  const late = normal(1, 3, 2, 2);
  expect(() => causalAttention(three, two, two)).toThrow("3 query heads");
  expect(() => causalAttention(late, two, two)).toThrow("3 queries but only 2 keys");
  expect(() => causalAttention(two, two, two, mask)).toThrow("keyMask");
  tf.dispose([three, two, mask, late]);
});
