import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import {
  gumbelNoise,
  sampleTokens,
  type SamplingPolicy,
  samplingPolicySchema,
} from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";

const policy = (fields: Partial<SamplingPolicy> = {}) => samplingPolicySchema.parse(fields);

/** One sample for each of `count` sequences, all from the same logits. */
function sampleMany(logits: number[], fields: Partial<SamplingPolicy>, count: number): number[] {
  return tf.tidy(() => {
    const rows = tf.tile(tf.tensor2d([logits]), [count, 1]) as tf.Tensor2D;
    const sequenceIds = Array.from({ length: count }, (_, i) => i);
    const noise = gumbelNoise(new Random(12), logits.length, sequenceIds, 0);
    return sampleTokens(rows, policy(fields), noise).arraySync();
  });
}

/** What should be sampled, from the definition: temperature, then top-k, then top-p. */
function truncatedSoftmax(
  logits: number[],
  { samplingTemperature = 1, topK = 0, topP = 1 }: Partial<SamplingPolicy>,
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

describe("the frequencies of samples follow the truncated softmax", () => {
  const logits = [0.3, 1.2, -0.8, 2, 0.9, -2];
  const count = 4000;

  test.each<Partial<SamplingPolicy>>([
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
  test("takes the most likely token, the lowest id of those that tie, and needs no noise", () => {
    const ids = tf.tidy(() => {
      const logits = tf.tensor2d([
        [0, 3, 1],
        [2, 1, 2],
        [-1e9, -1e9, -1e9],
      ]);
      return sampleTokens(logits, policy({ greedy: true })).arraySync();
    });
    expect(ids).toEqual([1, 0, 0]);
  });

  test.each<Partial<SamplingPolicy>>([{ topK: 1 }, { topP: 1e-6 }, { samplingTemperature: 1e-4 }])(
    "%o samples the most likely token",
    (fields) => {
      expect(new Set(sampleMany([0.3, 0.9, 1, 0.2], fields, 50))).toEqual(new Set([2]));
    },
  );
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
  const ids = sampleMany([-1e9, 0, -1e9, 0], { samplingTemperature: 5 }, 300);
  expect(new Set(ids)).toEqual(new Set([1, 3]));
});

test("noise depends on sequence and position, not on the batch", () => {
  const noise = (sequenceIds: number[], position: number) =>
    tf.tidy(() => gumbelNoise(new Random(3), 5, sequenceIds, position).arraySync());
  expect(noise([4, 7], 2)[1]).toEqual(noise([7], 2)[0]);
  expect(noise([4, 7], 2)[0]).not.toEqual(noise([4, 7], 2)[1]);
  expect(noise([4], 2)).not.toEqual(noise([4], 3));
  expect(noise([4], 2)).not.toEqual(noise([2], 4));
});

test("allocates exactly one tensor", () => {
  const logits = tf.tensor2d([[0, 1, 2]]);
  const noise = gumbelNoise(new Random(1), 3, [0], 0);
  for (const fields of [{}, { greedy: true }, { topK: 2, topP: 0.5 }]) {
    const before = tf.memory().numTensors;
    const ids = sampleTokens(logits, policy(fields), noise);
    expect(tf.memory().numTensors - before).toBe(1);
    expect([ids.dtype, ids.shape]).toEqual(["int32", [1]]);
    ids.dispose();
  }
  expect(() => sampleTokens(logits, policy())).toThrow("needs noise");
  tf.dispose([logits, noise]);
});

describe("the schema of a policy", () => {
  test("samples from the model itself by default", () => {
    const expected = { samplingTemperature: 1, topK: 0, topP: 1, greedy: false };
    expect(samplingPolicySchema.parse({})).toEqual(expected);
  });

  test.each([{ samplingTemperature: 0 }, { topK: -1 }, { topK: 1.5 }, { topP: 0 }, { topP: 1.1 }])(
    "refuses %o",
    (fields) => expect(samplingPolicySchema.safeParse(fields).success).toBe(false),
  );

  test("describes every field", () => {
    for (const [name, field] of Object.entries(samplingPolicySchema.shape)) {
      expect(field.description, name).toMatch(/\.$/);
    }
  });
});
