import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Decoder, contextLength, modelConfigSchema } from "../../../../src/models/index.js";
import { ropeFrequencies, ropeLengths } from "../../../../src/models/decoder/rope-scaling.js";
import { useCpu } from "../../../setup/backends/backend.js";
import { useWasmEngine } from "../../../setup/backends/wasm-engine.js";
import { largestDifference, logitsOf, tinyDecoder } from "../tiny-models.js";

const sizes = {
  ...{ family: "llama", vocabSize: 7, hiddenSize: 8, numLayers: 2, numHeads: 2 },
  ...{ headDim: 4, maxPositions: 8, initializerRange: 0.5 },
};
const config = (ropeScaling: object | null, extra: object = {}) =>
  modelConfigSchema.parse({ ...sizes, ropeScaling, ...extra });
const changing = {
  dynamic: config({ type: "dynamic", factor: 2 }, { maxPositions: 4 }),
  longrope: config({
    type: "longrope",
    originalMaxPositions: 4,
    shortFactor: [1.1, 1.5],
    longFactor: [2, 4],
  }),
};
const row = [3, 1, 4, 1, 5, 6, 2, 0];

test("frequencies of a linear scaling are those of the family, divided", () => {
  const [plain] = ropeFrequencies(config(null)).inverse;
  const scaled = ropeFrequencies(config({ type: "linear", factor: 4 }));
  expect(scaled).toEqual({ inverse: [plain!.map((x) => x / 4)], factor: 1 });
});

test("Llama 3 keeps fast pairs, divides slow ones, and mixes between", () => {
  const llama3 = { lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 100 };
  const scaling = { type: "llama3", factor: 8, ...llama3 };
  const [plain] = ropeFrequencies(config(null, { headDim: 12, ropeTheta: 1000 })).inverse;
  const [scaled] = ropeFrequencies(config(scaling, { headDim: 12, ropeTheta: 1000 })).inverse;
  const ratios = scaled!.map((x, i) => x / plain![i]!);
  expect(ratios.slice(0, 2)).toEqual([1, 1]);
  const turns = (100 * plain![2]!) / (2 * Math.PI);
  const kept = (turns - 1) / 3;
  expect(kept).toBeGreaterThan(0.1);
  expect(ratios[2]).toBeCloseTo((1 - kept) / 8 + kept, 10);
  expect(ratios.slice(3)).toEqual([1 / 8, 1 / 8, 1 / 8]);
});

test("attention factors follow from the scaling, or are given", () => {
  const factorOf = (scaling: object) => ropeFrequencies(config(scaling)).factor;
  const yarn = { type: "yarn", factor: 4 };
  expect(factorOf(yarn)).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
  expect(factorOf({ ...yarn, attentionFactor: 1.5 })).toBe(1.5);
  expect(factorOf({ ...yarn, factor: 1.5 })).toBeCloseTo(0.1 * Math.log(1.5) + 1, 12);
  expect(factorOf({ ...yarn, factor: 1 })).toBe(1);
  expect(factorOf({ ...yarn, mscale: 2, mscaleAllDim: 0.5 })).toBeCloseTo(
    (0.2 * Math.log(4) + 1) / (0.05 * Math.log(4) + 1),
    12,
  );
  for (const alone of [{ mscale: 2 }, { mscaleAllDim: 2 }]) {
    expect(factorOf({ ...yarn, ...alone })).toBe(factorOf(yarn));
  }
  const fromLengths = { type: "yarn", originalMaxPositions: 2 };
  expect(factorOf(fromLengths)).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
  const longrope = { type: "longrope", shortFactor: [1, 1], longFactor: [1, 1] };
  expect(factorOf({ ...longrope, originalMaxPositions: 4 })).toBeCloseTo(
    Math.sqrt(1 + Math.log(2) / Math.log(4)),
    12,
  );
  expect(factorOf(longrope)).toBe(1);
});

test("the ramp of YaRN has the ends that transformers gives it, rounded or not", () => {
  const yarn = { type: "yarn", factor: 4, originalMaxPositions: 1024, betaFast: 32, betaSlow: 1 };
  const shape = { headDim: 16, maxPositions: 4096 };
  // `ROPE_INIT_FUNCTIONS["yarn"]`, with `truncate` true and false.
  const rounded = [1, 0.3162278, 0.08125, 0.01976424, 0.004375, 0.0007905695, 0.00025, 7.905695e-5];
  const exact = [1, 0.3162278, 0.08539864, 0.01912678, 0.003556971, ...rounded.slice(5)];
  for (const [truncate, expected] of [
    [true, rounded],
    [false, exact],
  ] as const) {
    const { inverse } = ropeFrequencies(config({ ...yarn, truncate }, shape));
    for (const [i, x] of expected.entries()) expect(inverse[0]![i]! / x).toBeCloseTo(1, 6);
    expect(inverse[0]).toHaveLength(expected.length);
  }
  expect(config(yarn, shape).ropeScaling).toMatchObject({ truncate: true });
});

test("dynamic scaling leaves the trained length alone and goes on behind it", () => {
  const { dynamic } = changing;
  expect(contextLength(dynamic)).toBe(8);
  expect(contextLength(config(null))).toBe(8);
  expect(ropeLengths(dynamic)).toEqual({ from: 4, to: 8 });
  const { inverse } = ropeFrequencies(dynamic, 6);
  expect(inverse).toHaveLength(3);
  expect(inverse[0]).toEqual(ropeFrequencies(config(null)).inverse[0]);
  // A base of 10000 · (2·6/4 − 1)^(4/2).
  expect(inverse[2]![1]).toBeCloseTo((10_000 * 2 ** 2) ** -0.5, 12);
});

test("a scaling whose frequencies cannot change within the context is a fixed one", () => {
  expect(ropeLengths(config({ type: "dynamic", factor: 1 }))).toBeUndefined();
  expect(ropeFrequencies(config({ type: "dynamic", factor: 1 }), 9)).toEqual(
    ropeFrequencies(config(null)),
  );
  const longrope = { type: "longrope", shortFactor: [1, 2], longFactor: [9, 9] };
  expect(ropeLengths(config(longrope))).toBeUndefined();
  expect(ropeFrequencies(config(longrope), 8).inverse).toEqual([[1, 0.01 / 2]]);
});

/** Logits of the last position after every piece. */
function lastLogits(decoder: Decoder, rows: number[][], mask: number[][], ends: number[]) {
  using cache = decoder.createCache();
  return ends.map((end, i) =>
    tf.tidy(() => {
      const start = ends[i - 1] ?? 0;
      const cut = (values: number[][], from: number) => values.map((ids) => ids.slice(from, end));
      const inputIds = tf.tensor2d(cut(rows, start), undefined, "int32");
      const attentionMask = tf.tensor2d(cut(mask, 0));
      const options = { lastPositionOnly: true };
      return decoder.forward({ inputIds, attentionMask }, cache, options).arraySync();
    }),
  );
}

describe.each(["cpu", "the engine"])("frequencies that change with the length, on %s", (name) => {
  beforeAll(async () => {
    if (name !== "cpu") await useWasmEngine();
  });
  afterAll(useCpu);

  test.each(Object.entries(changing))("%s: a cache gives what a whole pass gives", (_, model) => {
    using decoder = tinyDecoder(model);
    const rows = [row, [0, 0, 0, ...row.slice(0, 5)]];
    const mask = [row.map(() => 1), [0, 0, 0, 1, 1, 1, 1, 1]];
    for (const ends of [
      [3, 4, 5, 6, 7, 8],
      [4, 6, 8],
    ]) {
      for (const [i, last] of lastLogits(decoder, rows, mask, ends).entries()) {
        const end = ends[i]!;
        // Each row alone, without its padding.
        const alone = rows.map((ids, r) => {
          const start = mask[r]!.indexOf(1);
          return start >= end ? last[r]! : [logitsOf(decoder, [ids.slice(start, end)])[0]!.at(-1)!];
        });
        expect(largestDifference(last, alone), `${ends} until ${end}`).toBeLessThan(2e-5);
      }
    }
  });

  test.each(Object.entries(changing))("%s: a long row does not change a short one", (_, model) => {
    using decoder = tinyDecoder(model);
    const [alone] = logitsOf(decoder, [[2, 6, 5]]);
    const ones = row.map(() => 1);
    const mask = [ones, [1, 1, 1, 0, 0, 0, 0, 0]];
    const [long, short] = logitsOf(decoder, [row, [2, 6, 5, 1, 1, 1, 1, 1]], mask);
    expect(largestDifference(short!.slice(0, 3), alone)).toBeLessThan(2e-5);
    // The long row is scaled: what it begins with has other logits than alone.
    const [beginning] = logitsOf(decoder, [row.slice(0, 3)]);
    expect(largestDifference(long!.slice(0, 3), beginning)).toBeGreaterThan(1e-3);
  });
});
