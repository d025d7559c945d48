/** Rows of padding, sampling token by token, and the borders of what is enumerated. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import {
  chooseToken,
  enumerateKl,
  type ExactLanguage,
  exactTeacher,
  languageLogProbs,
  modeMasses,
  sampleExactly,
  trueKl,
} from "../../../../src/teachers/index.js";
import { logSumExp, normalizeLogProbs } from "../../../../src/teachers/synthetic/exact-language.js";
import { Random } from "../../../../src/tensors/index.js";

/** After n comes n + 1 for certain, or 0 with a little chance; 2 is impossible after 0. */
const language: ExactLanguage<number> = {
  ...{ vocabSize: 3, start: 0 },
  advance: (_, id) => id,
  logProbs: (last) =>
    Float64Array.from([0, 1, 2], (id) =>
      id === (last + 1) % 3 ? Math.log(0.9) : id === last ? Math.log(0.1) : -Infinity,
    ),
};

test("rows of padding lie 20 below the least that is possible; the impossible is finite", async () => {
  using teacher = exactTeacher(language, "exact", { rows: 5 });
  expect(teacher).toMatchObject({ name: "exact", vocabSize: 5 });
  using batch = makeBatch([{ ids: [0, 1, 2], completionStart: 2 }], 0);
  const scores = await teacher.score(batch, ["teacherLogits"]);
  const [row] = tf.tidy(() => scores.tensors().teacherLogits?.arraySync()) as number[][][];
  expect(row?.[0]).toEqual([0, 0, 0, 0, 0]);
  const expected = [-1e9, Math.log(0.1), Math.log(0.9), Math.log(0.1) - 20, Math.log(0.1) - 20];
  for (const [i, value] of expected.entries()) {
    expect((row?.[1]?.[i] as number) / value).toBeCloseTo(1, 5);
  }
  expect(() => exactTeacher(language, "exact", { topK: 4 })).toThrow(/topK: is 4, more than/);
  using drawing = exactTeacher(language, "exact", { samples: 2, sampleTemperature: 3 });
  expect(drawing.sampleTemperature).toBe(3);
  expect(drawing.provides).toContain("teacherSampleLogProbs");
});

describe("sampling", () => {
  const how = {
    ...{ endIds: [2], padId: 0, maxNewTokens: 4, random: new Random(1) },
    policy: { ...ownDistribution, greedy: true },
  };

  test("goes on until an end, or as far as asked", () => {
    const [ended, cut] = sampleExactly(language, [[0], [2]], how);
    expect(ended).toEqual({
      ...{ promptIds: [0], completionIds: [1, 2], finished: true },
      tokenLogProbs: [Math.log(0.9), Math.log(0.9)],
    });
    expect(cut).toMatchObject({ completionIds: [0, 1, 2], finished: true });
    const [short] = sampleExactly(language, [[2]], { ...how, maxNewTokens: 2 });
    expect(short).toMatchObject({ completionIds: [0, 1], finished: false });
    expect(sampleExactly(language, [[2]], { ...how, maxNewTokens: 0 })[0]).toMatchObject({
      ...{ completionIds: [], finished: false },
    });
  });

  test("has one number per row and position, by the row's own number", () => {
    const policy = ownDistribution;
    const fair = {
      ...language,
      logProbs: () => Float64Array.from([1, 1, 1], (x) => Math.log(x / 3)),
    };
    const drawn = (prompts: number[][], sequenceIds?: number[]) =>
      sampleExactly(fair, prompts, {
        ...{ ...how, endIds: [], maxNewTokens: 12, policy },
        ...(sequenceIds && { sequenceIds }),
      }).map(({ completionIds }) => completionIds.join(""));
    const both = drawn([[0], [0]]);
    expect(both[0]).not.toBe(both[1]);
    expect(drawn([[0]], [1])).toEqual([both[1]]);
    expect(drawn([[0], [0]], [1, 0])).toEqual([both[1], both[0]]);
    const stream = new Random(1).stream(0, 3);
    expect(both[0]?.[3]).toBe(String(Math.floor(stream.uniform() * 3)));
  });

  test("a token is chosen by where the number falls, never an impossible one", () => {
    const logProbs = Float64Array.from([0, 0.5, 0.3, 0.2], Math.log);
    const choose = (uniform: number, change = {}) =>
      chooseToken(logProbs, { ...ownDistribution, ...change }, uniform);
    expect([0, 0.49, 0.51, 0.79, 0.81, 0.999].map((u) => choose(u))).toEqual([1, 1, 2, 2, 3, 3]);
    expect(choose(1)).toBe(1);
    expect([0.61, 0.64].map((u) => choose(u, { topK: 2 }))).toEqual([1, 2]);
    // 0.5 is less than 0.6, so the next belongs to the nucleus too.
    expect([0.6, 0.64, 0.99].map((u) => choose(u, { topP: 0.6 }))).toEqual([1, 2, 2]);
    expect([0.01, 0.99].map((u) => choose(u, { topP: 0.5 }))).toEqual([1, 1]);
    expect(choose(0.99, { topP: 0.01 })).toBe(1);
    const sharp = [0.25, 0.09, 0.04];
    const total = 0.38;
    const edge = (sharp[0] as number) / total;
    expect([edge - 0.01, edge + 0.01].map((u) => choose(u, { samplingTemperature: 0.5 }))).toEqual([
      1, 2,
    ]);
  });
});

describe("what can be enumerated", () => {
  const wide: ExactLanguage<number> = {
    ...language,
    logProbs: () => Float64Array.from([0.5, 0.25, 0.25], Math.log),
  };
  const [p, q] = [languageLogProbs(language), languageLogProbs(wide)];
  const space = { vocabSize: 3, length: 3, prompt: [0] };

  test("is 1 + V + … prefixes, up to the limit", async () => {
    await expect(enumerateKl(p, q, { ...space, limit: 13 })).resolves.toMatchObject({
      ...{ method: "enumeration", forwardStandardError: 0, reverseStandardError: 0 },
    });
    await expect(enumerateKl(p, q, { ...space, limit: 12 })).rejects.toThrow(
      "length: 3 tokens of 3 have 13 prefixes, more than 12. Shorten the sequences",
    );
    const options = { ...space, samples: 2, random: new Random(1) };
    expect((await trueKl(p, q, { ...options, limit: 13 })).method).toBe("enumeration");
    expect((await trueKl(p, q, { ...options, limit: 12 })).method).toBe("sampling");
    // Unless told otherwise 100,000: 3⁰ + … + 3¹⁰ is less. Where only one token is possible, it is quick.
    const certain: typeof p = (prefixes) => prefixes.map(() => [0, -Infinity, -Infinity]);
    const methodOf = async (length: number) =>
      (await trueKl(certain, certain, { ...options, length })).method;
    expect([await methodOf(11), await methodOf(12)]).toEqual(["enumeration", "sampling"]);
  });

  test("gives each position what it adds", async () => {
    const { forwardByPosition } = await enumerateKl(p, q, space);
    const one = 0.9 * Math.log(0.9 / 0.25) + 0.1 * Math.log(0.1 / 0.5);
    expect(forwardByPosition[0]).toBeCloseTo(one, 12);
    const after1 = 0.9 * Math.log(0.9 / 0.25) + 0.1 * Math.log(0.1 / 0.25);
    expect(forwardByPosition[1]).toBeCloseTo(0.1 * one + 0.9 * after1, 12);
  });
});

test("masses of modes go by the way around the ring", () => {
  const flat = Array.from({ length: 10 }, () => Math.log(0.1));
  const masses = (previous: number, reach: number) => {
    const { first, second, outside } = modeMasses(
      flat,
      previous,
      { vocabSize: 10, offsets: [1, 5] },
      reach,
    );
    return [first, second, outside].map((mass) => Math.round(10 * mass));
  };
  expect(masses(0, 0)).toEqual([1, 1, 8]);
  expect(masses(0, 1)).toEqual([3, 3, 4]);
  expect(masses(9, 1)).toEqual([3, 3, 4]);
  // What both reach is the first one's.
  expect(masses(0, 2)).toEqual([5, 4, 1]);
  expect(masses(0, 5)).toEqual([10, 0, 0]);
});

test("a sum of exponentials neither overflows nor forgets the impossible", () => {
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.log(2), 10);
  expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
  expect(logSumExp([])).toBe(-Infinity);
  expect(logSumExp([-Infinity, -2000])).toBe(-2000);
  const values = Float64Array.of(1, 2);
  expect(normalizeLogProbs(values)).toBe(values);
  expect(Math.exp(values[0]!) + Math.exp(values[1]!)).toBeCloseTo(1, 12);
});
