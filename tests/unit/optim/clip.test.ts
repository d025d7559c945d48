import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { clipScale } from "../../../src/optim/index.js";

const scaleOf = (norm: number, maxGradNorm?: number): number =>
  tf.tidy(() => clipScale(tf.scalar(norm), maxGradNorm).dataSync()[0] as number);

test("gradients above the limit come down to it, others stay", () => {
  expect(scaleOf(4, 1)).toBeCloseTo(0.25, 6);
  expect(scaleOf(4, 2)).toBeCloseTo(0.5, 6);
  expect(scaleOf(0.5, 1)).toBe(1);
  expect(scaleOf(0, 1)).toBe(1);
  expect(scaleOf(1e6)).toBe(1);
});

test("as in PyTorch 1e-6 is added to the norm, which shows where both are tiny", () => {
  expect(scaleOf(1e-6, 1e-6)).toBeCloseTo(0.5, 5);
  expect(scaleOf(0, 1e-7)).toBeCloseTo(0.1, 5);
});
