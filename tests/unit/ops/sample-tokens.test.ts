import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleTokens, type SamplingSettings, tokenLogProbs } from "../../../src/ops/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../../setup/backends/wasm-engine.js";

const settings = (fields: Partial<SamplingSettings> = {}): SamplingSettings => ({
  ...{ samplingTemperature: 1, topK: 0, topP: 1, greedy: false },
  ...fields,
});

const uniforms = (count: number) => {
  const random = new Random(12);
  return tf.tensor1d(Array.from({ length: count }, () => random.uniform()));
};

/** Row 0 of the result. */
const ids = (sampled: tf.Tensor2D) => (sampled.arraySync() as [number[], number[]])[0];

/** One sample for each of `count` uniforms, all from the same logits. */
function sampleMany(logits: number[], fields: Partial<SamplingSettings>, count: number): number[] {
  return tf.tidy(() => {
    const rows = tf.tile(tf.tensor2d([logits]), [count, 1]) as tf.Tensor2D;
    return ids(sampleTokens(rows, settings(fields), uniforms(count)));
  });
}

/** What should be sampled, from the definition: temperature, then top-k, then top-p. */
function truncatedSoftmax(
  logits: number[],
  { samplingTemperature = 1, topK = 0, topP = 1 }: Partial<SamplingSettings>,
): number[] {
  const order = logits.map((_, i) => i).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const kept = topK > 0 ? order.slice(0, topK) : order;
  const weight = (i: number) => Math.exp((logits[i] as number) / samplingTemperature);
  const total = kept.reduce((sum, i) => sum + weight(i), 0);
  const nucleus: number[] = [];
  for (let mass = 0; mass < topP && nucleus.length < kept.length; ) {
    const next = kept[nucleus.length] as number;
    nucleus.push(next);
    mass += weight(next) / total;
  }
  const nucleusTotal = nucleus.reduce((sum, i) => sum + weight(i), 0);
  return logits.map((_, i) => (nucleus.includes(i) ? weight(i) / nucleusTotal : 0));
}

describe.each([
  { title: "cpu", start: useCpu as () => Promise<unknown> },
  ...engineVariants.map(({ name, options }) => ({
    title: `the engine, ${name}`,
    start: () => useWasmEngine(options),
  })),
])("on $title", ({ start }) => {
  beforeAll(async () => {
    await start();
  });
  afterAll(useCpu);

  describe("the frequencies of samples follow the truncated softmax", () => {
    const logits = [0.3, 1.2, -0.8, 2, 0.9, -2];
    const count = 4000;

    test.each<Partial<SamplingSettings>>([
      {},
      { samplingTemperature: 2 },
      { samplingTemperature: 0.5 },
      { topK: 3 },
      { topP: 0.8 },
      { topK: 4, topP: 0.7, samplingTemperature: 1.5 },
    ])("%o", (fields) => {
      const probabilities = truncatedSoftmax(logits, fields);
      const counts = logits.map(() => 0);
      for (const id of sampleMany(logits, fields, count)) counts[id] = (counts[id] as number) + 1;
      let chiSquare = 0;
      for (const [id, probability] of probabilities.entries()) {
        const observed = counts[id] as number;
        if (probability === 0) expect(observed, `token ${id}`).toBe(0);
        else chiSquare += (observed - count * probability) ** 2 / (count * probability);
      }
      // 99.9 % quantile at five degrees of freedom; the seed is fixed.
      expect(chiSquare).toBeLessThan(20.5);
    });
  });

  describe("greedy", () => {
    test("takes the most likely token, the lowest id of those that tie, and needs no uniforms", () => {
      const taken = tf.tidy(() => {
        const logits = tf.tensor2d([
          [0, 3, 1],
          [2, 1, 2],
          [-1e9, -1e9, -1e9],
        ]);
        return ids(sampleTokens(logits, settings({ greedy: true })));
      });
      expect(taken).toEqual([1, 0, 0]);
    });

    test.each<Partial<SamplingSettings>>([
      { topK: 1 },
      { topP: 1e-6 },
      { samplingTemperature: 1e-4 },
    ])("%o samples the most likely token", (fields) => {
      expect(new Set(sampleMany([0.3, 0.9, 1, 0.2], fields, 50))).toEqual(new Set([2]));
    });
  });

  test("what ties with the last kept token is kept", () => {
    const logits = [1, 2, 1, 0];
    expect(new Set(sampleMany(logits, { topK: 2 }, 200))).toEqual(new Set([0, 1, 2]));
    expect(new Set(sampleMany([0, 0, 0, 0], { topP: 0.1 }, 200))).toEqual(new Set([0, 1, 2, 3]));
  });

  test("limits that leave everything in change nothing", () => {
    const logits = [0.3, 1.2, -0.8, 2];
    const free = sampleMany(logits, {}, 100);
    expect(sampleMany(logits, { topK: 4 }, 100)).toEqual(free);
    expect(sampleMany(logits, { topK: 10 }, 100)).toEqual(free);
    expect(sampleMany(logits, { topP: 0.99999 }, 100)).toEqual(free);
  });

  test("a token that is ruled out is never sampled", () => {
    const taken = sampleMany([-1e9, 0, -1e9, 0], { samplingTemperature: 5 }, 300);
    expect(new Set(taken)).toEqual(new Set([1, 3]));
  });

  test("gives the log-probability of what it took, whatever the choice was made by", () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([[0, 1, 2, -1]]);
      for (const fields of [{}, { greedy: true }, { samplingTemperature: 9 }, { topK: 1 }]) {
        const sampled = sampleTokens(logits, settings(fields), tf.tensor1d([0.4]));
        const [[id], [logProb]] = sampled.arraySync() as [[number], [number]];
        const taken = tf.tensor2d([[id]], [1, 1], "int32");
        const expected = tokenLogProbs(logits.expandDims(0), taken).arraySync();
        expect(logProb).toBeCloseTo(expected[0]?.[0] as number, 5);
      }
    });
  });

  test("the cumulative distribution is inverted: small uniforms take early tokens", () => {
    tf.tidy(() => {
      const p = [0.1, 0, 0.2, 0.3, 0.4];
      const at = [0.01, 0.09, 0.11, 0.29, 0.31, 0.59, 0.61, 0.99];
      const rows = tf.tile(tf.tensor2d([p.map((v) => (v === 0 ? -1e9 : Math.log(v)))]), [8, 1]);
      const sampled = sampleTokens(rows as tf.Tensor2D, settings(), tf.tensor1d(at));
      expect(ids(sampled)).toEqual([0, 0, 2, 2, 3, 3, 4, 4]);
    });
  });

  test("uniforms at the ends take the first and the last token that has any probability", () => {
    tf.tidy(() => {
      const row = [-1e9, 0, 1, 0, -1e9];
      const rows = tf.tensor2d([row, row]);
      const ends = tf.tensor1d([1e-10, 1 - 2 ** -24]);
      expect(ids(sampleTokens(rows, settings(), ends))).toEqual([1, 3]);
    });
  });

  test("allocates exactly one tensor", () => {
    const logits = tf.tensor2d([[0, 1, 2]]);
    const given = tf.tensor1d([0.5]);
    for (const fields of [{}, { greedy: true }, { topK: 2, topP: 0.5 }]) {
      const before = tf.memory().numTensors;
      const sampled = sampleTokens(logits, settings(fields), given);
      expect(tf.memory().numTensors - before).toBe(1);
      expect([sampled.dtype, sampled.shape]).toEqual(["float32", [2, 1]]);
      sampled.dispose();
    }
    expect(() => sampleTokens(logits, settings())).toThrow("needs uniforms");
    tf.dispose([logits, given]);
  });

  const limits: Partial<SamplingSettings>[] = [
    { samplingTemperature: 1.5 },
    { topK: 5 },
    { topP: 0.6 },
    { topK: 40, topP: 0.9, samplingTemperature: 0.7 },
  ];

  test.each(
    [1, 3, 63, 64, 65, 130, 1000].flatMap((size) => limits.map((fields) => ({ size, fields }))),
  )("rows of $size give the tokens of the definition, $fields", ({ size, fields }) => {
    tf.tidy(() => {
      const random = new Random(size);
      const rows = 7;
      const values = Array.from({ length: rows * size }, () => Math.fround(2 * random.normal()));
      const given = Array.from({ length: rows }, () => random.uniform());
      const logits = tf.tensor2d(values, [rows, size]);
      const sampled = sampleTokens(logits, settings(fields), tf.tensor1d(given));
      const expected = given.map((uniform, row) => {
        const probabilities = truncatedSoftmax(values.slice(row * size, (row + 1) * size), fields);
        let sum = 0;
        return probabilities.findIndex((p) => (sum += p) > uniform);
      });
      expect(ids(sampled)).toEqual(expected);
    });
  });

  test("rows that are not finite give an id of the vocabulary and a log-probability that tells", () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([
        [NaN, 1, 2],
        [NaN, NaN, NaN],
      ]);
      const sampled = sampleTokens(logits, settings(), tf.tensor1d([0.5, 0.5]));
      const [taken, logProbs] = sampled.arraySync() as [number[], number[]];
      expect(taken.every((id) => id >= 0 && id < 3)).toBe(true);
      expect(logProbs.some(Number.isFinite)).toBe(false);
    });
  });
});
