import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { startBackend } from "../../../src/backend/index.js";
import { addSegments } from "../../../src/backend/segment-sum.js";

test("adds rows in input order and leaves out ids that are no segment", () => {
  const output = new Float32Array(3 * 2);
  addSegments(output, [1, 2, 10, 20, 100, 200, 7, 7, 9, 9], [2, 0, 2, 3, -1], 2);
  expect([...output]).toEqual([10, 20, 0, 0, 101, 202]);
});

test("replaces the quadratic kernel of cpu with the same values", async () => {
  await startBackend("cpu");
  const sums = tf.tidy(() => tf.unsortedSegmentSum(tf.ones([6, 2]), [0, 1, 1, 3, 1, 9], 4));
  expect(sums.shape).toEqual([4, 2]);
  expect([...(await sums.data())]).toEqual([1, 1, 3, 3, 0, 0, 1, 1]);
  sums.dispose();
});

test("ids of several axes take as many axes from the values", async () => {
  await startBackend("cpu");
  const x = tf.tensor3d([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [2, 2, 3]);
  const ids = tf.tensor2d([0, 1, 1, 0], [2, 2], "int32");
  const [sums] = [
    tf.engine().runKernel("UnsortedSegmentSum", { x, segmentIds: ids }, { numSegments: 2 }),
  ];
  const result = sums as tf.Tensor;
  expect(result.shape).toEqual([2, 3]);
  expect([...(await result.data())]).toEqual([9, 11, 13, 9, 11, 13]);
  tf.dispose([x, ids, result]);
});
