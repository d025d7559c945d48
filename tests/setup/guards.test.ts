import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { liveTensors, tensorIds } from "./live-tensors.js";

test("the leak guard sees a live tensor with the line that made it, and its end", () => {
  const before = tensorIds();
  const tensor = tf.zeros([2]);
  expect(liveTensors(before)).toHaveLength(1);
  expect(liveTensors(before)[0]).toContain("guards.test.ts");
  tensor.dispose();
  expect(liveTensors(before)).toEqual([]);
});
