import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { type ModelConfig, modelConfigSchema } from "../../../../src/models/index.js";
import { largestDifference, logitsOf, tinyConfigs, tinyDecoder } from "../tiny-models.js";

const llama = tinyConfigs["llama"] as ModelConfig;
const row = [3, 1, 4, 1, 5, 6, 2, 0];

/** Logits of rows with first keys and positions of their own. */
function boundedLogits(config: ModelConfig, ids: number[], firstKeys: number[], at: number[]) {
  using decoder = tinyDecoder(config);
  return tf.tidy(() => {
    const int32 = (values: number[]) => tf.tensor2d([values], undefined, "int32");
    const given = { firstKeys: int32(firstKeys), positionIds: int32(at) };
    return decoder.forward({ inputIds: int32(ids), ...given }).arraySync();
  });
}

describe("a sliding window", () => {
  test("hides what is further back than its width, the token itself included", () => {
    using decoder = tinyDecoder({ ...llama, numLayers: 1, slidingWindow: 3 });
    const changed = [6, ...row.slice(1)];
    const [before, after] = [logitsOf(decoder, [row])[0], logitsOf(decoder, [changed])[0]];
    expect(largestDifference(before!.slice(3), after!.slice(3))).toBe(0);
    expect(largestDifference(before!.slice(2, 3), after!.slice(2, 3))).toBeGreaterThan(0.001);
  });

  test("reaches further through every layer that has one", () => {
    const firstChanged = (layerTypes: ModelConfig["layerTypes"]) => {
      using decoder = tinyDecoder({ ...llama, slidingWindow: 2, layerTypes });
      const [before] = logitsOf(decoder, [row]);
      const [after] = logitsOf(decoder, [[6, ...row.slice(1)]]);
      return before!.findLastIndex((v, t) => largestDifference(v, after![t]) > 1e-6);
    };
    expect(firstChanged(null)).toBe(2);
    expect(firstChanged(["sliding_attention", "full_attention"])).toBe(7);
    expect(firstChanged(["full_attention", "full_attention"])).toBe(7);
  });

  test("as wide as the row changes nothing", () => {
    using plain = tinyDecoder(llama);
    using wide = tinyDecoder({ ...llama, slidingWindow: 8 });
    expect(logitsOf(wide, [row])).toEqual(logitsOf(plain, [row]));
  });
});

describe("several sequences in a row", () => {
  const [a, b] = [row.slice(0, 5), [2, 6, 5]];
  const together = [...a, ...b];
  const firstKeys = [0, 0, 0, 0, 0, 5, 5, 5];
  const positions = [0, 1, 2, 3, 4, 0, 1, 2];

  test.each([
    { title: "full attention", window: null },
    { title: "a window", window: 2 },
  ])("have the logits that each has alone, with $title", ({ window }) => {
    const config = { ...llama, slidingWindow: window };
    const [packed] = boundedLogits(config, together, firstKeys, positions);
    using decoder = tinyDecoder(config);
    const [first] = logitsOf(decoder, [a]);
    const [second] = logitsOf(decoder, [b]);
    expect(largestDifference(packed, [...first!, ...second!])).toBeLessThan(2e-5);
  });

  test("are told from a row of one sequence", () => {
    using decoder = tinyDecoder(llama);
    const [packed] = boundedLogits(llama, together, firstKeys, positions);
    const [joined] = logitsOf(decoder, [together]);
    expect(largestDifference(packed!.slice(5), joined!.slice(5))).toBeGreaterThan(0.01);
  });

  test("may together be longer than the context, as each has its own positions", () => {
    const config = { ...llama, maxPositions: 5 };
    const [packed] = boundedLogits(config, together, firstKeys, positions);
    expect(packed).toHaveLength(8);
    using decoder = tinyDecoder(config);
    expect(() => logitsOf(decoder, [together])).toThrow("8 tokens do not fit");
  });

  test("are refused where frequencies depend on the length of a sequence", () => {
    const config = { ...llama, ropeScaling: { type: "dynamic", factor: 2 } } as ModelConfig;
    expect(() => boundedLogits(config, together, firstKeys, positions)).toThrow(
      "trainer.packing: Rotary frequencies that depend on the length of a sequence",
    );
  });

  test("need a bound for every token", () => {
    expect(() => boundedLogits(llama, together, [0, 0], positions)).toThrow(
      "firstKeys has shape [1, 2], expected [1, 8]",
    );
  });
});

describe("a configuration with a window", () => {
  const sizes = { vocabSize: 7, hiddenSize: 8, numLayers: 2, numHeads: 2, maxPositions: 12 };
  const problem = (options: object) =>
    modelConfigSchema.safeParse({ ...sizes, family: "llama", ...options }).error?.issues[0];

  test("must be of a family that has one", () => {
    expect(problem({ slidingWindow: 4 })).toMatchObject({
      path: ["slidingWindow"],
      message: "The llama family has no sliding window; leave it out.",
    });
  });

  test("has an entry for every layer, and a width for those that slide", () => {
    expect(problem({ layerTypes: ["full_attention"] })).toMatchObject({
      message: "1 entries for 2 layers.",
    });
    expect(problem({ layerTypes: ["full_attention", "sliding_attention"] })).toMatchObject({
      message: "Layers with sliding_attention need a slidingWindow.",
    });
    expect(problem({ layerTypes: ["full_attention", "full_attention"] })).toBeUndefined();
  });

  test("has it in some layers only where the family's files can say so", () => {
    const mixed = {
      slidingWindow: 4,
      layerTypes: ["full_attention", "sliding_attention"],
    };
    expect(problem({ ...mixed, family: "mistral" })).toMatchObject({
      path: ["layerTypes"],
      message: "The mistral family has the slidingWindow in all layers or none; leave it out.",
    });
    expect(problem({ ...mixed, family: "qwen2" })).toBeUndefined();
  });

  test.each([
    [["sliding_attention", "sliding_attention"], 4],
    [["full_attention", "full_attention"], null],
  ])("whose layers are all %s has no types and a window of %s", (layerTypes, slidingWindow) => {
    for (const family of ["mistral", "qwen3"]) {
      const given = { ...sizes, family, slidingWindow: 4, layerTypes };
      expect(modelConfigSchema.parse(given)).toMatchObject({ slidingWindow, layerTypes: null });
    }
  });
});
