import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { sampleUniforms } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";

const uniforms = (sequenceIds: number[], position: number) =>
  tf.tidy(() => sampleUniforms(new Random(3), sequenceIds, position).arraySync());

test("they depend on sequence and position, not on the batch", () => {
  expect(uniforms([4, 7], 2)[1]).toEqual(uniforms([7], 2)[0]);
  expect(uniforms([4, 7], 2)[0]).not.toEqual(uniforms([4, 7], 2)[1]);
  expect(uniforms([4], 2)).not.toEqual(uniforms([4], 3));
  expect(uniforms([4], 2)).not.toEqual(uniforms([2], 4));
});

test("they lie between 0 and 1 in float32 too", () => {
  const many = uniforms(
    Array.from({ length: 2000 }, (_, i) => i),
    0,
  );
  expect(many.every((u) => u > 0 && u < 1)).toBe(true);
  const mean = many.reduce((a, b) => a + b, 0) / many.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});

test("a number that float32 would round up to 1 stays below it", () => {
  const random = { stream: () => ({ uniform: () => 1 - 2 ** -40 }) } as unknown as Random;
  expect(tf.tidy(() => sampleUniforms(random, [0], 0).dataSync()[0])).toBe(1 - 2 ** -24);
});

test("a seed stands for the same numbers in every version: sequence first, then position", () => {
  const expected = new Random(3).stream(4, 2).uniform();
  expect(uniforms([4], 2)[0]).toBe(Math.fround(expected));
});
