/** Decoding with a cache, in any pieces of any rows, is one pass over them. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Decoder } from "../../../../src/models/index.js";
import {
  largestDifference,
  logitsOf,
  tinyConfigs,
  tinyDecoder,
  windowedConfigs,
} from "../tiny-models.js";

const configs = { ...tinyConfigs, ...windowedConfigs };

/** Rows of one length, each padded on the left, and the lengths of the pieces they are given in. */
const cases = fc.integer({ min: 2, max: 10 }).chain((length) =>
  fc.record({
    name: fc.constantFrom(...Object.keys(configs)),
    rows: fc.array(
      fc.record({
        ids: fc.array(fc.nat(6), { minLength: length, maxLength: length }),
        padding: fc.nat(length - 1),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    cuts: fc.subarray(Array.from({ length: length - 1 }, (_, i) => i + 1)),
    isMasked: fc.boolean(),
  }),
);

function inPieces(decoder: Decoder, rows: number[][], cuts: number[], mask?: number[][]) {
  using cache = decoder.createCache();
  const logits: number[][][] = rows.map(() => []);
  const ends = [...cuts, rows[0]?.length ?? 0];
  for (const [i, end] of ends.entries()) {
    tf.tidy(() => {
      const start = ends[i - 1] ?? 0;
      const piece = rows.map((ids) => ids.slice(start, end));
      const seen = mask?.map((bits) => bits.slice(0, end));
      const inputs = {
        inputIds: tf.tensor2d(piece, undefined, "int32"),
        ...(seen && { attentionMask: tf.tensor2d(seen) }),
      };
      const found = decoder.forward(inputs, cache).arraySync();
      for (const [row, positions] of found.entries()) logits[row]?.push(...positions);
    });
  }
  expect(cache.length).toBe(rows[0]?.length);
  return logits;
}

test("for every kind of decoder, with padding and without", () => {
  fc.assert(
    fc.property(cases, ({ name, rows, cuts, isMasked }) => {
      using decoder = tinyDecoder(configs[name] as (typeof configs)[string]);
      const ids = rows.map((row) => row.ids);
      const mask = rows.map(({ padding }) => ids[0]?.map((_, i) => (i < padding ? 0 : 1)) ?? []);
      const given = isMasked ? mask : undefined;
      const whole = logitsOf(decoder, ids, given);
      const pieces = inPieces(decoder, ids, cuts, given);
      for (const [row, { padding }] of rows.entries()) {
        const from = isMasked ? padding : 0;
        const [a, b] = [pieces[row]?.slice(from), whole[row]?.slice(from)];
        expect(largestDifference(a, b)).toBeLessThan(2e-5);
      }
    }),
    { seed: 3, numRuns: 25 },
  );
});
