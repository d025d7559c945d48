/** Kernels without a case of their own in the conformance suite, against the same ops on plain JavaScript. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import {
  averageUpdate,
  clipScale,
  distributionSums,
  linear,
  maskedSum,
  positionIds,
} from "../../../src/ops/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { createVariable, readScalars } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { normals } from "../ops/cases/op-case.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";

const random = (shape: [number, number], name: string) =>
  tf.tensor2d(Float32Array.from(normals(shape, name, 2).data), shape);

/** Everything computed on the current backend, as numbers. */
async function compute(): Promise<Record<string, readonly number[]>> {
  const mask = [
    [0, 1, 0.5, 1],
    [0, 0, 2, 1],
  ];
  const values = [
    [Number.NaN, 1, 2, 3],
    [Infinity, Number.NaN, 0.5, -1],
  ];
  const numbers: Record<string, readonly number[]> = {};
  const keep = async (name: string, tensor: tf.Tensor) => {
    numbers[name] = Array.from(await tensor.data());
    tensor.dispose();
  };
  await keep(
    "masked sum",
    tf.tidy(() => maskedSum(tf.tensor2d(values), tf.tensor2d(mask))),
  );
  const gradient = tf.grad((x) => maskedSum(x as tf.Tensor2D, tf.tensor2d(mask)).mul(3));
  await keep(
    "its gradient",
    tf.tidy(() => gradient(tf.tensor2d(values))),
  );
  await keep(
    "of a row",
    tf.tidy(() => maskedSum(tf.tensor1d([1, 2]), tf.tensor1d([0, 4]))),
  );
  const average = createVariable(random([9, 61], "average"), false);
  const current = random([9, 61], "current");
  averageUpdate(average, current, 0.9);
  await keep("an average", average.clone());
  averageUpdate(average, current, 0.5);
  // Values that another tensor shares are not to change.
  const shared = average.clone();
  averageUpdate(average, current, 0.25);
  await keep("what it was", shared);
  averageUpdate(average, current, 0.25);
  await keep("what it is", average.clone());
  tf.dispose([average, current]);
  // tfjs calls the integers of a comparison float32 as they are.
  const whole = () =>
    tf.tensor2d(
      values.flat().map((_, i) => i - 3),
      [2, 4],
      "int32",
    );
  await keep(
    "masked by a comparison",
    tf.tidy(() => maskedSum(random([2, 4], "m"), whole().greater(0).toFloat() as tf.Tensor2D)),
  );
  await keep(
    "a product of whole numbers",
    tf.tidy(() => linear(whole().toFloat(), random([3, 4], "w"))),
  );
  const padded = Array.from({ length: 3 }, (_, row) =>
    Array.from({ length: 150 }, (_, i) => (i >= 40 * row && i < 140 - row ? 1 : 0)),
  );
  await keep(
    "positions",
    tf.tidy(() => positionIds(tf.tensor2d(padded), 0)),
  );
  await keep(
    "later positions",
    tf.tidy(() => positionIds(tf.tensor2d(padded), 130)),
  );
  await keep(
    "clipped",
    tf.tidy(() => clipScale(tf.scalar(4), 1)),
  );
  await keep(
    "not clipped",
    tf.tidy(() => clipScale(tf.scalar(0.5), 1)),
  );
  for (const rows of [
    [0, 3, 8],
    [0, -1, 3, 8, -1],
  ]) {
    const sums = tf.tidy(() =>
      distributionSums(random([9, 70], "s"), random([9, 70], "t"), tf.tensor1d(rows, "int32")),
    );
    numbers[`sums of statistics of ${rows.join()}`] = Object.values(await readScalars(sums));
  }
  return numbers;
}

describe.skipIf(!hasVulkan)(`small kernels of ${onWebGpu}`, () => {
  afterAll(useCpu);

  test("give what plain JavaScript gives", async () => {
    await useCpu();
    const expected = await compute();
    await useWebGpu();
    const found = await compute();
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      expect(found[name], name).toHaveLength(values.length);
      for (const [i, value] of values.entries()) {
        expect(Math.abs((found[name]?.[i] as number) - value), `${name} ${i}`).toBeLessThan(
          1e-5 * Math.max(1, Math.abs(value)),
        );
      }
    }
  });

  test("what is read of a parameter between updates is what it is then", async () => {
    await useWebGpu();
    const parameter = tf.tidy(() => createVariable(tf.tensor1d([1, 2, 3]), true));
    using optimizer = new AdamW(new Map([["p", parameter]]));
    const read: number[] = [];
    for (let step = 0; step < 3; step++) {
      read.push((await parameter.data())[0] as number);
      tf.tidy(() => {
        optimizer.apply(new Map([["p", tf.tensor1d([1, 1, 1])]]), 0.5, tf.scalar(1));
      });
    }
    read.push((await parameter.data())[0] as number);
    for (const [i, value] of [1, 0.5, 0, -0.5].entries()) expect(read[i]).toBeCloseTo(value, 4);
    parameter.dispose();
  });
});
