import { describe, expect, test } from "vitest";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import {
  enumerateKl,
  estimateKl,
  hiddenMarkovLanguage,
  languageLogProbs,
  modelLogProbs,
  type NextLogProbs,
  randomHiddenMarkovModel,
  sequenceLogProbs,
  tokenKl,
  trueKl,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";

const languageOf = (seed: number) =>
  hiddenMarkovLanguage(
    randomHiddenMarkovModel({
      seed,
      vocabSize: 3,
      states: 2,
      transitionSharpness: 1.5,
      emissionSharpness: 1.5,
    }),
  );
const [p, q] = [languageOf(1), languageOf(2)];
const [teacher, student] = [languageLogProbs(p), languageLogProbs(q)];
const space = { vocabSize: 3, length: 4, prompt: [0] };

/** Σ P log P/Q over whole sequences, which end early with `end`. */
function bruteForce(end?: number): { forwardKl: number; reverseKl: number } {
  let all: number[][] = [[0]];
  for (let t = 0; t < 4; t++) {
    all = all.flatMap((ids) =>
      ids.length > 1 && ids.at(-1) === end ? [ids] : [0, 1, 2].map((id) => [...ids, id]),
    );
  }
  let [forwardKl, reverseKl] = [0, 0];
  for (const ids of all) {
    const log = (language: typeof p) => sequenceLogProbs(language, ids).reduce((a, b) => a + b, 0);
    forwardKl += Math.exp(log(p)) * (log(p) - log(q));
    reverseKl += Math.exp(log(q)) * (log(q) - log(p));
  }
  return { forwardKl, reverseKl };
}

describe("the true KL between sequences", () => {
  test.each([undefined, 2])("is that of all sequences one by one (end id %s)", async (end) => {
    const expected = bruteForce(end);
    const kl = await enumerateKl(teacher, student, {
      ...space,
      ...(end === undefined ? {} : { endIds: [end] }),
    });
    expect(kl.forwardKl).toBeCloseTo(expected.forwardKl, 12);
    expect(kl.reverseKl).toBeCloseTo(expected.reverseKl, 12);
    expect(kl.forwardByPosition).toHaveLength(4);
    expect(kl.forwardByPosition.reduce((a, b) => a + b)).toBeCloseTo(kl.forwardKl, 12);
    expect(Math.abs(kl.forwardKl - kl.reverseKl)).toBeGreaterThan(0.01);
  });

  test("is 0 for the same language, infinite where the student excludes what the teacher writes", async () => {
    const same = await enumerateKl(teacher, teacher, space);
    expect(same.forwardKl).toBe(0);
    const certain: NextLogProbs = (prefixes) => prefixes.map(() => [0, -Infinity, -Infinity]);
    const far = await enumerateKl(teacher, certain, space);
    expect(far.forwardKl).toBe(Number.POSITIVE_INFINITY);
    expect(Number.isFinite(far.reverseKl)).toBe(true);
    expect(tokenKl([0, -Infinity], [-1, -Infinity])).toBe(1);
  });

  test("is estimated without bias", async () => {
    const exact = await enumerateKl(teacher, student, { ...space, endIds: [2] });
    const sampled = await estimateKl(teacher, student, {
      ...space,
      endIds: [2],
      samples: 3000,
      random: new Random(4),
    });
    for (const direction of ["forward", "reverse"] as const) {
      const error = sampled[`${direction}StandardError`];
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(0.02);
      const distance = Math.abs(sampled[`${direction}Kl`] - exact[`${direction}Kl`]);
      expect(distance).toBeLessThan(3.5 * error);
      for (const [t, value] of sampled[`${direction}ByPosition`].entries()) {
        expect(value).toBeCloseTo(exact[`${direction}ByPosition`][t] as number, 1);
      }
    }
  });

  test("of a model is that of its logits, whatever the size of its batches", async () => {
    const config = modelConfigSchema.parse({
      family: "llama",
      vocabSize: 3,
      hiddenSize: 4,
      numLayers: 1,
      numHeads: 1,
      maxPositions: 8,
      initializerRange: 0.5,
    });
    using model = initializeDecoder(config, new Random(3));
    const options = { ...space, length: 3, samples: 10, random: new Random(1) };
    const whole = await trueKl(teacher, modelLogProbs(model), options);
    const parts = await trueKl(teacher, modelLogProbs(model, 4), options);
    expect(whole.method).toBe("enumeration");
    expect(parts.forwardKl).toBeCloseTo(whole.forwardKl, 6);
    const itself = await trueKl(modelLogProbs(model), modelLogProbs(model, 4), options);
    expect(Math.abs(itself.reverseKl)).toBeLessThan(1e-6);
    const estimated = await trueKl(teacher, modelLogProbs(model), { ...options, limit: 5 });
    expect(estimated.method).toBe("sampling");
  });

  test("refuses what cannot be enumerated", async () => {
    await expect(enumerateKl(teacher, student, { ...space, length: 40 })).rejects.toThrow(
      /length: 40 tokens of 3 have [\d,]+ prefixes, more than 100,000\. .*estimateKl/,
    );
  });
});

test("what one of the two rules out adds nothing to the other's sum", async () => {
  const log = (...shares: number[]) => shares.map(Math.log);
  const narrow: NextLogProbs = (prefixes) => prefixes.map(() => log(1, 0)) as never;
  const wide: NextLogProbs = (prefixes) =>
    prefixes.map((ids) => (ids.at(-1) === 1 ? log(0.25, 0.75) : log(0.5, 0.5))) as never;
  const two = { vocabSize: 2, length: 2, prompt: [0] };
  const { forwardKl, reverseKl } = await enumerateKl(wide, narrow, two);
  expect(forwardKl).toBe(Number.POSITIVE_INFINITY);
  expect(reverseKl).toBeCloseTo(2 * Math.log(2), 12);
});

describe("the standard error of an estimate", () => {
  const two = { vocabSize: 2, prompt: [0], length: 2, random: new Random(4) };
  const [fair, biased] = [[0.5, 0.5].map(Math.log), [0.25, 0.75].map(Math.log)];
  /** Tells the first token, and after a 1 the student differs: totals are 0 or KL(fair ‖ biased). */
  const from: NextLogProbs = (prefixes) => prefixes.map(() => fair) as never;
  const to: NextLogProbs = (prefixes) =>
    prefixes.map((ids) => (ids.length > 1 && ids[1] === 1 ? biased : fair)) as never;

  test("is the spread of the samples by the root of their number", async () => {
    const samples = 5;
    const { forwardKl, forwardStandardError } = await estimateKl(from, to, { ...two, samples });
    const one = tokenKl(fair as number[], biased as number[]);
    const ones = Math.round((forwardKl / one) * samples);
    expect(ones).toBeGreaterThan(0);
    expect(ones).toBeLessThan(samples);
    const mean = (ones / samples) * one;
    const squares = ones * (one - mean) ** 2 + (samples - ones) * mean ** 2;
    expect(forwardStandardError).toBeCloseTo(Math.sqrt(squares / (samples - 1) / samples), 12);
  });

  test("is 0 of a single sample, of which nothing is known", async () => {
    const { forwardStandardError } = await estimateKl(from, to, { ...two, samples: 1 });
    expect(forwardStandardError).toBe(0);
  });
});
