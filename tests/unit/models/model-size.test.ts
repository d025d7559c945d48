import { expect, test } from "vitest";
import { modelSize } from "../../../src/models/index.js";
import { tinyConfigs, tinyDecoder } from "./tiny-models.js";

test.each(Object.entries(tinyConfigs))("%s: the groups are all the parameters", (_, config) => {
  using decoder = tinyDecoder(config);
  const { groups, numParameters, weightBytes, optimizerBytes } = modelSize(config);
  expect(numParameters).toBe(decoder.numParameters);
  expect(Object.values(groups).reduce((a, b) => a + b)).toBe(numParameters);
  expect([weightBytes, optimizerBytes]).toEqual([4 * numParameters, 8 * numParameters]);
  expect(groups.head === 0).toBe(config.tieWordEmbeddings);
});

test("groups and cache of a model by hand", () => {
  // hidden 7, MLP 24, 4 query and 2 key heads of 6, 2 layers, 7 ids.
  const { groups, cacheBytesPerToken } = modelSize(tinyConfigs["qwen3"]!);
  expect(groups).toEqual({
    embedding: 49,
    attention: 2 * (24 * 7 + 2 * 12 * 7 + 7 * 24),
    mlp: 2 * 3 * 7 * 24,
    norms: 2 * (7 + 6 + 6 + 7) + 7,
    head: 49,
  });
  expect(cacheBytesPerToken).toBe(2 * 2 * 2 * 6 * 4);
});
