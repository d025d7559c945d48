import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../src/data/index.js";
import { drawTokens, sequenceUniforms } from "../../../src/teachers/draw-tokens.js";
import { Random } from "../../../src/tensors/index.js";

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

test("every position of a sequence has numbers of its own, whatever it stands beside; padding has 0", () => {
  const sequences = [4, 2, 3].map((length) => ({
    ids: Array.from({ length }, (_, i) => i),
    completionStart: 1,
  }));
  const numbers = (rows: typeof sequences, firstRow: number) => {
    using batch = makeBatch(rows, 0);
    return tf.tidy(() => sequenceUniforms(new Random(2), firstRow, batch, 2).arraySync());
  };
  const all = numbers(sequences, 5);
  expect(all.map((row) => row.map((position) => position.every((value) => value > 0)))).toEqual([
    [true, true, true],
    [true, false, false],
    [true, true, false],
  ]);
  const real = all.flat(2).filter((value) => value > 0);
  expect(new Set(real).size).toBe(2 * (3 + 1 + 2));
  expect(all.flat(2).filter((value) => value === 0)).toHaveLength(2 * 3);
  for (const [i, sequence] of sequences.entries()) {
    const [alone] = numbers([sequence], 5 + i);
    expect(alone).toEqual(all[i]?.slice(0, sequence.ids.length - 1));
  }
});
