import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { Decoder } from "../../../../src/models/index.js";
import {
  largestDifference,
  logitsOf,
  tinyConfigs,
  tinyDecoder,
  windowedConfigs,
} from "../tiny-models.js";

const tolerance = 2e-5;
const row = [3, 1, 4, 1, 5, 6, 2, 0];
const other = [2, 6, 5];

describe.each(Object.entries({ ...tinyConfigs, ...windowedConfigs }))("%s", (_name, config) => {
  test("gives logits [B, T, V], which are the hidden states times the head", () => {
    using decoder = tinyDecoder(config);
    tf.tidy(() => {
      const inputIds = tf.tensor2d([row.slice(0, 3), other], undefined, "int32");
      const logits = decoder.forward({ inputIds });
      expect(logits.shape).toEqual([2, 3, config.vocabSize]);
      const hidden = decoder.hiddenStates({ inputIds });
      expect(hidden.shape).toEqual([2, 3, config.hiddenSize]);
      const product = tf.matMul(hidden.reshape([6, -1]), decoder.headWeight, false, true);
      const flat = logits.reshape([6, -1]).arraySync();
      expect(largestDifference(product.arraySync(), flat)).toBeLessThan(tolerance);
    });
  });

  test("counts its parameters, a tied head once", () => {
    using decoder = tinyDecoder(config);
    const sizes = [...decoder.parameters.values()].map(({ size }) => size);
    expect(decoder.numParameters).toBe(sizes.reduce((a, b) => a + b));
    expect(decoder.parameters.has("lm_head.weight")).toBe(!config.tieWordEmbeddings);
  });

  test("a later token does not change what came before it", () => {
    using decoder = tinyDecoder(config);
    const changed = [...row.slice(0, 5), 0, 0, 1];
    const [before] = logitsOf(decoder, [row]);
    const [after] = logitsOf(decoder, [changed]);
    expect(largestDifference(after!.slice(0, 5), before!.slice(0, 5))).toBe(0);
    expect(largestDifference(after!.slice(5), before!.slice(5))).toBeGreaterThan(0.01);
  });

  test("an earlier token changes what comes after it, and so does its position", () => {
    using decoder = tinyDecoder(config);
    const last = (ids: number[]) => logitsOf(decoder, [ids])[0]!.at(-1);
    expect(largestDifference(last([1, 4, 2]), last([5, 4, 2]))).toBeGreaterThan(0.01);
    expect(largestDifference(last([1, 4, 2]), last([4, 1, 2]))).toBeGreaterThan(0.001);
  });

  test("padding on either side changes nothing, whatever ids it holds", () => {
    using decoder = tinyDecoder(config);
    const [alone] = logitsOf(decoder, [other]);
    const ones = row.map(() => 1);
    const [, right] = logitsOf(
      decoder,
      [row, [...other, 5, 5, 5, 5, 5]],
      [ones, [1, 1, 1, 0, 0, 0, 0, 0]],
    );
    const [, left] = logitsOf(
      decoder,
      [row, [4, 4, 4, 4, 4, ...other]],
      [ones, [0, 0, 0, 0, 0, 1, 1, 1]],
    );
    expect(largestDifference(right!.slice(0, 3), alone)).toBeLessThan(tolerance);
    expect(largestDifference(left!.slice(5), alone)).toBeLessThan(tolerance);
    expect(left!.flat().every(Number.isFinite)).toBe(true);
  });

  test("decoding with a cache, in any pieces, equals one pass", () => {
    using decoder = tinyDecoder(config);
    const rows = [row, [4, 4, 4, 4, 4, ...other]];
    const mask = [row.map(() => 1), [0, 0, 0, 0, 0, 1, 1, 1]];
    const whole = logitsOf(decoder, rows, mask);
    for (const pieces of [
      [6, 1, 1],
      [2, 3, 3],
      [1, 7],
    ]) {
      expect(
        largestDifference(logitsInPieces(decoder, rows, pieces, mask), whole),
        `pieces ${pieces}`,
      ).toBeLessThan(tolerance);
    }
    const unmasked = logitsOf(decoder, [row]);
    expect(largestDifference(logitsInPieces(decoder, [row], [3, 4, 1]), unmasked)).toBeLessThan(
      tolerance,
    );
  });

  test("the last position alone has the logits that it has among all", () => {
    using decoder = tinyDecoder(config);
    const [all] = logitsOf(decoder, [row]);
    const last = tf.tidy(() => {
      const inputIds = tf.tensor2d([row], undefined, "int32");
      return decoder.forward({ inputIds }, undefined, { lastPositionOnly: true }).arraySync();
    });
    expect(largestDifference(last, [[all!.at(-1)]])).toBeLessThan(tolerance);
  });

  test("given position ids replace the counted ones", () => {
    using decoder = tinyDecoder(config);
    tf.tidy(() => {
      const inputIds = tf.tensor2d([other], undefined, "int32");
      const at = (ids: number[]) =>
        decoder
          .forward({ inputIds, positionIds: tf.tensor2d([ids], undefined, "int32") })
          .arraySync();
      const counted = decoder.forward({ inputIds }).arraySync();
      expect(largestDifference(at([0, 1, 2]), counted)).toBe(0);
      expect(largestDifference(at([0, 4, 9]), counted)).toBeGreaterThan(0.001);
    });
  });

  test("a forward pass makes one tensor, a cache two per layer, all of them disposable", () => {
    const before = tf.memory().numTensors;
    const decoder = tinyDecoder(config);
    expect(tf.memory().numTensors - before).toBe(decoder.parameters.size);
    const inputIds = tf.tensor2d([row], undefined, "int32");
    const attentionMask = tf.ones([1, 8]) as tf.Tensor2D;
    const base = tf.memory().numTensors;
    decoder.forward({ inputIds, attentionMask }).dispose();
    expect(tf.memory().numTensors).toBe(base);

    const cache = decoder.createCache();
    const first = tf.slice(inputIds, [0, 0], [1, 5]);
    const mask = tf.slice(attentionMask, [0, 0], [1, 5]);
    decoder.forward({ inputIds: first, attentionMask: mask }, cache).dispose();
    const rest = tf.slice(inputIds, [0, 5], [1, 3]);
    // Inside somebody's scope, the cache still keeps what it owns.
    tf.tidy(() => decoder.forward({ inputIds: rest, attentionMask }, cache).dispose());
    expect(tf.memory().numTensors).toBe(base + 3 + 2 * config.numLayers);
    expect(cache.length).toBe(8);
    cache.dispose();
    expect(cache.length).toBe(0);
    for (const tensor of [first, mask, rest, inputIds, attentionMask]) tensor.dispose();
    decoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a sequence longer than the context is refused with the numbers", () => {
    using decoder = tinyDecoder(config);
    using cache = decoder.createCache();
    const forward = (length: number) =>
      tf.tidy(() => {
        decoder.forward({ inputIds: tf.zeros([1, length], "int32") }, cache).dispose();
      });
    expect(() => forward(13)).toThrow(/13 tokens do not fit into the model's 12 positions/);
    forward(12);
    expect(() => forward(1)).toThrow(/12 cached and 1 new tokens do not fit/);
    expect(cache.length).toBe(12);
  });
});

test("a mask that does not cover cached and new positions is a programming error", () => {
  using decoder = tinyDecoder(tinyConfigs.llama!);
  tf.tidy(() => {
    const inputIds = tf.tensor2d([row], undefined, "int32");
    expect(() => decoder.forward({ inputIds, attentionMask: tf.ones([1, 7]) })).toThrow(
      /attentionMask has shape \[1, 7\], expected \[1, 8\]/,
    );
  });
});

function logitsInPieces(
  decoder: Decoder,
  rows: number[][],
  pieces: number[],
  mask?: number[][],
): number[][][] {
  using cache = decoder.createCache();
  const logits: number[][][] = rows.map(() => []);
  let start = 0;
  for (const length of pieces) {
    const end = start + length;
    tf.tidy(() => {
      const inputIds = tf.tensor2d(
        rows.map((ids) => ids.slice(start, end)),
        undefined,
        "int32",
      );
      const seen = mask?.map((bits) => bits.slice(0, end));
      const attentionMask = seen ? { attentionMask: tf.tensor2d(seen) } : {};
      const piece = decoder.forward({ inputIds, ...attentionMask }, cache).arraySync();
      for (const [i, positions] of piece.entries()) logits[i]!.push(...positions);
    });
    start = end;
  }
  return logits;
}
