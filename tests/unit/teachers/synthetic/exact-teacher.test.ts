import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch, withSequences } from "../../../../src/data/index.js";
import { sampleTokens } from "../../../../src/ops/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import {
  chooseToken,
  exactTeacher,
  hiddenMarkovLanguage,
  randomHiddenMarkovModel,
  sequenceLogProbs,
  stateAfter,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";

const language = hiddenMarkovLanguage(
  randomHiddenMarkovModel({
    seed: 8,
    vocabSize: 7,
    states: 3,
    transitionSharpness: 2,
    emissionSharpness: 2,
  }),
);
const rows = [
  { ids: [1, 2, 3, 4], completionStart: 2 },
  { ids: [6, 5], completionStart: 1 },
];

describe("an exact teacher", () => {
  test("gives its log-probabilities as logits where something is learned", async () => {
    using teacher = exactTeacher(language, "hmm", { topK: 2 });
    using batch = makeBatch(rows, 0);
    const needs = ["teacherLogits", "teacherTokenLogProbs", "teacherTopLogProbs"] as const;
    const scores = await teacher.score(batch, needs);
    const read = tf.tidy(() => {
      const given = scores.tensors();
      return needs.map((need) => given[need]?.arraySync());
    }) as unknown as [number[][][], number[][], number[][][]];
    const [logits, tokens, top] = read;
    const exact = language.logProbs(stateAfter(language, [1, 2]));
    expect(logits[0]?.[1]).toEqual([...new Float32Array(exact)]);
    expect(logits[0]?.[0]).toEqual(Array.from({ length: 7 }, () => 0));
    const own = sequenceLogProbs(language, [1, 2, 3, 4]);
    expect(tokens[0]?.[2]).toBeCloseTo(own[2] as number, 5);
    expect(top[0]?.[1]?.[0]).toBeCloseTo(Math.max(...exact), 5);
  });

  test("finds sequences that stand inside a row", async () => {
    using teacher = exactTeacher(language, "hmm");
    using batch = makeBatch([{ ids: [0, 6, 5, 1, 2, 3, 4], completionStart: 1 }], 0);
    const placed = [{ ids: [1, 2, 3, 4], completionStart: 1, row: 0, start: 3 }];
    const scores = await teacher.score(withSequences(batch, placed), ["teacherLogits"]);
    const values = tf.tidy(() => scores.tensors().teacherLogits?.arraySync()) as number[][][];
    const exact = language.logProbs(stateAfter(language, [1, 2]));
    expect(values[0]?.[4]).toEqual([...new Float32Array(exact)]);
    expect(values[0]?.[1]).toEqual(Array.from({ length: 7 }, () => 0));
  });

  test("writes what its distribution says", async () => {
    using teacher = exactTeacher(language, "hmm");
    const count = 4000;
    const rollouts = await teacher.complete?.(
      Array.from({ length: count }, () => [1]),
      { endIds: [4], padId: 0, maxNewTokens: 2, policy: ownDistribution, random: new Random(2) },
    );
    const exact = language.logProbs(stateAfter(language, [1])).map(Math.exp);
    for (const [id, probability] of exact.entries()) {
      const drawn = rollouts?.filter(({ completionIds }) => completionIds[0] === id).length ?? 0;
      const deviation = Math.sqrt((probability * (1 - probability)) / count);
      expect(Math.abs(drawn / count - probability)).toBeLessThan(4 * deviation + 1e-9);
    }
    for (const { completionIds, tokenLogProbs, finished } of rollouts?.slice(0, 50) ?? []) {
      expect(finished).toBe(completionIds.includes(4));
      expect(tokenLogProbs).toEqual(sequenceLogProbs(language, [1, ...completionIds]));
    }
  });

  test.each([
    {},
    { greedy: true },
    { samplingTemperature: 0.5 },
    { topK: 3 },
    { topP: 0.7 },
    { topK: 4, topP: 0.8, samplingTemperature: 2 },
  ])("chooses as the device does: %o", (change) => {
    const policy = { ...ownDistribution, ...change };
    const logProbs = language.logProbs(stateAfter(language, [1]));
    const uniforms = Array.from({ length: 97 }, (_, i) => (i + 0.5) / 97);
    const chosen = uniforms.map((uniform) => chooseToken(logProbs, policy, uniform));
    const expected = tf.tidy(() => {
      const logits = tf.tensor2d(uniforms.map(() => [...logProbs]));
      return sampleTokens(logits, policy, tf.tensor1d(uniforms)).arraySync()[0];
    });
    expect(chosen).toEqual(expected);
  });
});
