/** Attention over more than one block of queries, with bounds from below, against the composed op. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { causalAttention } from "../../../src/ops/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../../setup/backends/wasm-engine.js";

interface Case {
  readonly title: string;
  /** First key that query t of row b sees. */
  readonly firstKey: (b: number, t: number) => number;
  readonly T: number;
  readonly S: number;
  readonly masked?: boolean;
}
const [B, H, K, headDim] = [2, 4, 2, 20];

const cases: readonly Case[] = [
  { title: "sequences of 13 tokens", firstKey: (_, t) => t - (t % 13), T: 131, S: 131 },
  {
    title: "sequences of 7 or 70 tokens, padding",
    firstKey: (b, t) => t - (t % (b === 0 ? 7 : 70)),
    ...{ T: 150, S: 150, masked: true },
  },
  { title: "a window of 10 keys after a cache", firstKey: (_, t) => t + 40 - 9, T: 98, S: 138 },
  { title: "no bound that matters", firstKey: (_, t) => -t, T: 97, S: 97 },
  { title: "blocks that see nothing", firstKey: (_, t) => (t < 60 ? 500 : t - 3), T: 99, S: 99 },
];

const random = new Random(5);
const normals = (shape: [number, number, number, number], name: string) => {
  const stream = random.stream(name, ...shape);
  const size = shape.reduce((a, b) => a * b);
  return tf.tensor4d(
    Float32Array.from({ length: size }, () => stream.normal()),
    shape,
  );
};

/** Value and the three gradients. */
async function evaluated({ firstKey, T, S, masked = false }: Case): Promise<Float32Array[]> {
  const tensors = tf.tidy(() => {
    const first = Int32Array.from({ length: B * T }, (_, i) => firstKey(Math.floor(i / T), i % T));
    const firstKeys = tf.tensor2d(first, [B, T], "int32");
    const bits = Array.from({ length: B * S }, (_, i) => (i % S > S - 30 ? 0 : 1));
    const mask = masked ? tf.tensor2d(bits, [B, S]) : undefined;
    const q = normals([B, T, H, headDim], "q");
    const [k, v] = [normals([B, S, K, headDim], "k"), normals([B, S, K, headDim], "v")];
    const attend = (...[query, key, value]: tf.Tensor[]) =>
      causalAttention(query as typeof q, key as typeof k, value as typeof v, mask, { firstKeys });
    const dy = normals([B, T, H, headDim], "dy");
    const gradients = tf.grads((...t: tf.Tensor[]) => attend(...t).mul(dy))([q, k, v]);
    return [attend(q, k, v), ...gradients];
  });
  const values = await Promise.all(tensors.map((t) => t.data() as Promise<Float32Array>));
  const copies = values.map((array) => Float32Array.from(array));
  tf.dispose(tensors);
  return copies;
}

const expected = new Map<string, Float32Array[]>();
beforeAll(async () => {
  await useCpu();
  for (const one of cases) expected.set(one.title, await evaluated(one));
});

describe.each(engineVariants)("$name", ({ options }) => {
  beforeAll(async () => {
    await useWasmEngine(options);
    // What is not written is seen.
    tf.dispose(tf.fill([B, H, 150, 150], Number.NaN));
  });
  afterAll(useCpu);

  test.each(cases)("$title", async (one) => {
    const actual = await evaluated(one);
    for (const [i, name] of ["value", "dquery", "dkey", "dvalue"].entries()) {
      const [given, wanted] = [actual[i], expected.get(one.title)?.[i]] as [
        Float32Array,
        Float32Array,
      ];
      const worst = wanted.reduce((w, x, j) => Math.max(w, Math.abs(x - (given[j] as number))), 0);
      expect(worst, name).toBeLessThan(1e-5 * Math.max(...wanted.map(Math.abs)));
      expect(given.every(Number.isFinite), name).toBe(true);
    }
  });
});
