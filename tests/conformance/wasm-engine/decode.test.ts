/** A whole decoder in one kernel against its layers one by one, on the engine and on cpu. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Decoder, type ModelConfig, modelConfigSchema } from "../../../src/models/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../../setup/backends/wasm-engine.js";
import {
  largestDifference,
  logitsOf,
  tinyConfigs,
  tinyDecoder,
  windowedConfigs,
} from "../../unit/models/tiny-models.js";

const wide = { vocabSize: 61, hiddenSize: 52, numLayers: 3, numHeads: 2, maxPositions: 300 };
const configs: Readonly<Record<string, ModelConfig>> = {
  ...tinyConfigs,
  ...windowedConfigs,
  "llama, odd sizes": modelConfigSchema.parse({
    ...wide,
    family: "llama",
    headDim: 18,
    intermediateSize: 75,
    initializerRange: 0.2,
  }),
  "gpt2, odd sizes": modelConfigSchema.parse({
    ...wide,
    family: "gpt2",
    intermediateSize: 83,
    initializerRange: 0.2,
  }),
};

/** Rows of ids, and a mask with padding of different lengths on the left. */
function prompts(numRows: number, width: number, vocabSize: number) {
  const ids = Array.from({ length: numRows }, (_, r) =>
    Array.from({ length: width }, (_, t) => (5 * r + 3 * t + r * t) % vocabSize),
  );
  const mask = ids.map((row, r) => row.map((_, t) => (t < r % Math.max(1, width - 1) ? 0 : 1)));
  return { ids, mask };
}

/** Logits of every position from `start` on, one token at a time after a first piece. */
function tokenByToken(
  decoder: Decoder,
  ids: number[][],
  mask: number[][] | undefined,
  start: number,
) {
  using cache = decoder.createCache(start + 1);
  const logits: number[][][] = ids.map(() => []);
  const length = ids[0]?.length ?? 0;
  for (let end = start; end <= length; end++) {
    const piece = tf.tidy(() => {
      const from = end === start ? 0 : end - 1;
      const inputIds = tf.tensor2d(
        ids.map((row) => row.slice(from, end)),
        undefined,
        "int32",
      );
      const seen = mask?.map((bits) => bits.slice(0, end));
      const given = { inputIds, ...(seen && { attentionMask: tf.tensor2d(seen) }) };
      return decoder.forward(given, cache, { lastPositionOnly: true }).arraySync();
    });
    for (const [row, positions] of piece.entries()) logits[row]?.push(...positions);
  }
  expect(cache.length).toBe(length);
  return logits;
}

describe.each(engineVariants)("$name", ({ options }) => {
  beforeAll(async () => {
    await useWasmEngine(options);
  });
  afterAll(useCpu);

  describe.each(Object.entries(configs))("%s", (_, config) => {
    test.each([1, 2, 6, 9])("%i rows", (numRows) => {
      using decoder = tinyDecoder(config);
      const { ids, mask } = prompts(numRows, 9, config.vocabSize);
      const before = tf.memory().numTensors;
      const whole = logitsOf(decoder, ids, mask);
      const decoded = tokenByToken(decoder, ids, mask, 4);
      expect(tf.memory().numTensors).toBe(before);
      // Padded positions have logits that nobody reads.
      const read = whole.map((row) => row.slice(3));
      expect(largestDifference(decoded, read)).toBeLessThan(2e-5);
      const unmasked = logitsOf(decoder, ids).map((row) => row.slice(0));
      expect(largestDifference(tokenByToken(decoder, ids, undefined, 1), unmasked)).toBeLessThan(
        2e-5,
      );
    });
  });
});

describe("the decoder of tokens", () => {
  beforeAll(async () => {
    await useWasmEngine({ numThreads: 2 });
  });
  afterAll(useCpu);

  test("goes on after its cache has grown, and after other pieces", () => {
    const config = configs["llama, odd sizes"] as ModelConfig;
    using decoder = tinyDecoder(config);
    const { ids } = prompts(2, 40, config.vocabSize);
    const whole = logitsOf(decoder, ids);
    using cache = decoder.createCache(3);
    let start = 0;
    for (const length of [2, 1, 1, 1, 7, 1, 12, 1, 1, 13]) {
      const piece = tf.tidy(() => {
        const part = ids.map((row) => row.slice(start, start + length));
        return decoder
          .forward({ inputIds: tf.tensor2d(part, undefined, "int32") }, cache)
          .arraySync();
      });
      const expected = whole.map((row) => row.slice(start, start + length));
      expect(largestDifference(piece, expected), `from ${start}`).toBeLessThan(2e-5);
      start += length;
    }
  });

  test("has the gradient of the layers where one is wanted", async () => {
    using decoder = tinyDecoder(configs["llama"] as ModelConfig);
    using cache = decoder.createCache();
    const inputIds = tf.tensor2d([[1]], [1, 1], "int32");
    tf.tidy(() => decoder.forward({ inputIds }, cache).dispose());
    const gradient = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () => decoder.forward({ inputIds }, cache).sum(),
        [decoder.headWeight as unknown as tf.Variable],
      );
      value.dispose();
      return Object.values(grads)[0] as tf.Tensor;
    });
    expect((await gradient.data()).some((v) => v !== 0)).toBe(true);
    tf.dispose([gradient, inputIds]);
  });

  test("names an id outside the vocabulary", () => {
    using decoder = tinyDecoder(configs["gpt2"] as ModelConfig);
    using cache = decoder.createCache();
    const forward = (id: number) =>
      tf.tidy(() => {
        decoder.forward({ inputIds: tf.tensor2d([[id]], [1, 1], "int32") }, cache);
      });
    forward(1);
    expect(() => forward(7)).toThrow("id 7 in row 0 is outside 0..6");
    expect(cache.length).toBe(1);
  });
});
