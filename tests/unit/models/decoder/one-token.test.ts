/** A cache of the engine computes a single token in one go, where that is the same. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ModelConfig } from "../../../../src/models/index.js";
import { useCpu } from "../../../setup/backends/backend.js";
import { useWasmEngine } from "../../../setup/backends/wasm-engine.js";
import { largestDifference, tinyConfigs, tinyDecoder } from "../tiny-models.js";

beforeAll(() => useWasmEngine());
afterAll(useCpu);

const config = tinyConfigs["llama"] as ModelConfig;
const ids = [3, 1, 4, 1];
const int = (values: number[]) => tf.tensor2d([values], undefined, "int32");

/** Logits of the last of the ids, the others cached, and whether the cache computed them. */
function lastToken(
  decoder: ReturnType<typeof tinyDecoder>,
  work: (forward: () => tf.Tensor3D) => tf.Tensor = (forward) => forward(),
  firstKey?: number,
) {
  using cache = decoder.createCache();
  const short = vi.spyOn(cache, "decodeToken");
  const values = tf.tidy(() => {
    decoder.forward({ inputIds: int(ids.slice(0, -1)) }, cache);
    const bound = firstKey === undefined ? {} : { firstKeys: int([firstKey]) };
    const inputs = { inputIds: int(ids.slice(-1)), positionIds: int([3]), ...bound };
    return work(() => decoder.forward(inputs, cache)).arraySync();
  });
  return { values, isShort: short.mock.calls.length > 0 };
}

test("a token that sees all that is cached", () => {
  using decoder = tinyDecoder(config);
  const { values, isShort } = lastToken(decoder);
  const whole = tf.tidy(() =>
    decoder
      .forward({ inputIds: int(ids) })
      .slice([0, 3])
      .arraySync(),
  );
  expect(isShort).toBe(true);
  expect(largestDifference(values, whole)).toBeLessThan(1e-5);
});

test("a cache that is full goes on in a larger one", () => {
  using decoder = tinyDecoder(config);
  const all = [3, 1, 4, 1, 5, 6, 2, 0];
  using cache = decoder.createCache(2);
  const last = all.map((id) =>
    tf.tidy(() => decoder.forward({ inputIds: int([id]) }, cache).arraySync()),
  );
  const whole = tf.tidy(() => decoder.forward({ inputIds: int(all) }).arraySync()) as number[][][];
  expect(largestDifference(last.flat(2), whole[0])).toBeLessThan(1e-5);
  expect(cache.length).toBe(all.length);
});

test("one that sees only some of it does not", () => {
  using decoder = tinyDecoder(config);
  const { values, isShort } = lastToken(decoder, undefined, 2);
  const whole = tf.tidy(() => {
    const firstKeys = int([0, 0, 0, 2]);
    return decoder
      .forward({ inputIds: int(ids), firstKeys })
      .slice([0, 3])
      .arraySync();
  });
  expect(isShort).toBe(false);
  expect(largestDifference(values, whole)).toBeLessThan(1e-5);
  expect(largestDifference(values, lastToken(decoder).values)).toBeGreaterThan(1e-2);
});

test("nor one under a gradient", () => {
  using decoder = tinyDecoder(config);
  const head = decoder.parameters.get("lm_head.weight") as tf.Variable;
  const { values, isShort } = lastToken(decoder, (forward) => {
    const { grads } = tf.variableGrads(() => forward().sum<tf.Scalar>(), [head]);
    return grads["lm_head.weight"] ?? Object.values(grads)[0]!;
  });
  expect(isShort).toBe(false);
  expect(Math.max(...(values as number[][]).flat().map(Math.abs))).toBeGreaterThan(0.1);
});
