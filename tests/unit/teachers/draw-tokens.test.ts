import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { drawTokens } from "../../../src/teachers/draw-tokens.js";

const drawn = (probabilities: number[], uniforms: number[]) =>
  tf.tidy(() => [
    ...drawTokens(tf.tensor3d([[probabilities]]), tf.tensor3d([[uniforms]])).dataSync(),
  ]);

test("each number draws the token in whose share of the mass it falls", () => {
  expect(drawn([0.25, 0.5, 0.25], [0, 0.2, 0.3, 0.7, 0.8, 0.99])).toEqual([0, 0, 1, 1, 2, 2]);
});

test("tokens without mass are never drawn, not even by 1", () => {
  expect(drawn([0, 0.5, 0, 0.5, 0], [0, 0.49, 0.51, 1])).toEqual([1, 1, 3, 3]);
});

test("nor where float32 rounds the mass to a little more than 1", () => {
  const tail = 2 ** -22;
  expect(drawn([0.5, 0.5 + tail, 0], [1])).toEqual([1]);
});

test("the mass need not add up to 1", () => {
  expect(drawn([2, 2], [0.49, 0.51, 1])).toEqual([0, 1, 1]);
});
