/** Every quantity against an enumeration of everything that can happen, in float64. */
import { describe, expect, test } from "vitest";
import {
  bimodalLanguage,
  type ExactLanguage,
  hiddenMarkovLanguage,
  modeMasses,
  nGramLanguage,
  randomHiddenMarkovModel,
  sequenceLogProbs,
  type Smoothing,
  stateAfter,
  tokenKl,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";

/** All sequences of a length. */
function sequences(vocabSize: number, length: number): number[][] {
  if (length === 0) return [[]];
  const ids = Array.from({ length: vocabSize }, (_, id) => id);
  return sequences(vocabSize, length - 1).flatMap((ids0) => ids.map((id) => [...ids0, id]));
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

function expectNormalized<S>(language: ExactLanguage<S>, prefix: readonly number[]): void {
  const logProbs = language.logProbs(stateAfter(language, prefix));
  expect(logProbs).toHaveLength(language.vocabSize);
  expect(sum(logProbs.map(Math.exp))).toBeCloseTo(1, 12);
}

const addHalf: Smoothing = { type: "add-k", k: 0.5 };
const interpolation: Smoothing = { type: "interpolated", lambda: 0.6 };

describe("an n-gram language", () => {
  // a b a b a c, then a new sequence b b.
  const text = [
    [0, 1, 0, 1, 0, 2],
    [1, 1],
  ];
  const of = (order: number, smoothing: Smoothing) =>
    nGramLanguage(text, { vocabSize: 4, order, smoothing });
  const probability = (order: number, smoothing: Smoothing, prefix: number[], id: number) => {
    const language = of(order, smoothing);
    return Math.exp(language.logProbs(stateAfter(language, prefix))[id] as number);
  };

  test("has the probabilities of its formula, add-k", () => {
    // After a: b twice, c once. Of 8 first and other ids: a 3, b 4, c 1.
    expect(probability(2, addHalf, [3, 0], 1)).toBeCloseTo(2.5 / 5, 12);
    expect(probability(2, addHalf, [0], 2)).toBeCloseTo(1.5 / 5, 12);
    expect(probability(2, addHalf, [0], 3)).toBeCloseTo(0.5 / 5, 12);
    expect(probability(1, addHalf, [0, 0], 1)).toBeCloseTo(4.5 / 10, 12);
    // Never seen: uniform.
    expect(probability(3, addHalf, [3, 3], 0)).toBeCloseTo(1 / 4, 12);
    // At the start, the first ids of the sequences: a once, b once.
    expect(probability(3, addHalf, [], 0)).toBeCloseTo(1.5 / 4, 12);
  });

  test("has the probabilities of its formula, interpolated", () => {
    const unigram = (count: number) => 0.6 * (count / 8) + 0.4 / 4;
    expect(probability(1, interpolation, [0], 1)).toBeCloseTo(unigram(4), 12);
    const bigram = 0.6 * (2 / 3) + 0.4 * unigram(4);
    expect(probability(2, interpolation, [0], 1)).toBeCloseTo(bigram, 12);
    // a b was followed by a, twice; the bigram after b: a twice, b once.
    const afterB = 0.6 * (2 / 3) + 0.4 * unigram(3);
    expect(probability(3, interpolation, [0, 1], 0)).toBeCloseTo(0.6 + 0.4 * afterB, 12);
    // A history that never occurred leaves everything to the shorter one.
    expect(probability(3, interpolation, [2, 1], 0)).toBeCloseTo(afterB, 12);
  });

  test.each([1, 2, 3])("sums to 1 after every prefix, order %d", (order) => {
    for (const smoothing of [addHalf, interpolation]) {
      for (const prefix of [0, 1, 2, 3].flatMap((length) => sequences(4, length))) {
        expectNormalized(of(order, smoothing), prefix);
      }
    }
  });

  test("refuses a text with nothing to count", () => {
    expect(() => nGramLanguage([[1], []], { vocabSize: 4, order: 2, smoothing: addHalf })).toThrow(
      /teacher\.path: The text has no two tokens in a row/,
    );
  });
});

describe("a hidden Markov language", () => {
  const options = {
    seed: 5,
    vocabSize: 3,
    states: 2,
    transitionSharpness: 1.5,
    emissionSharpness: 1.5,
  };
  const model = randomHiddenMarkovModel(options);
  const language = hiddenMarkovLanguage(model);

  test("gives every sequence the sum over all paths of hidden states", () => {
    let total = 0;
    for (const ids of sequences(3, 5)) {
      const paths = sequences(2, 5).map((path) => {
        let log = model.initial[path[0] as number] as number;
        for (const [t, state] of path.entries()) {
          log += model.emissions[state]?.[ids[t] as number] as number;
          if (t > 0) log += model.transitions[path[t - 1] as number]?.[state] as number;
        }
        return Math.exp(log);
      });
      const first = language.logProbs(language.start)[ids[0] as number] as number;
      const exact = Math.exp(first + sum(sequenceLogProbs(language, ids)));
      expect(exact / sum(paths)).toBeCloseTo(1, 11);
      total += exact;
    }
    expect(total).toBeCloseTo(1, 11);
  });

  test("depends on tokens far back, and does not underflow", () => {
    const far = (first: number) => language.logProbs(stateAfter(language, [first, 2, 2]))[0];
    expect(Math.abs((far(0) as number) - (far(1) as number))).toBeGreaterThan(1e-6);
    const random = new Random(1);
    const long = Array.from({ length: 3000 }, () => random.integer(3));
    expectNormalized(language, long);
  });

  test("is the same for the same seed only", () => {
    const again = randomHiddenMarkovModel(options);
    expect(again).toEqual(model);
    expect(randomHiddenMarkovModel({ ...options, seed: 6 })).not.toEqual(model);
    const flat = { ...options, transitionSharpness: 0, emissionSharpness: 0 };
    const uniform = hiddenMarkovLanguage(randomHiddenMarkovModel(flat));
    expect(uniform.logProbs(uniform.start)[1]).toBeCloseTo(-Math.log(3), 12);
  });
});

describe("a bimodal language", () => {
  const options = { vocabSize: 24, offsets: [3, 11], weight: 0.5, width: 1 } as const;
  const language = bimodalLanguage(options);
  const teacher = language.logProbs(stateAfter(language, [5, 20]));

  test("has its mass around two places on the ring, by its weight", () => {
    for (const prefix of [[], [0], [23], [7, 2]]) expectNormalized(language, prefix);
    const { first, second, outside } = modeMasses(teacher, 20, options, 3);
    expect(first).toBeCloseTo(0.5, 2);
    expect(second).toBeCloseTo(0.5, 2);
    expect(outside).toBeLessThan(0.01);
    const skewed = bimodalLanguage({ ...options, weight: 0.8 });
    expect(modeMasses(skewed.logProbs(20), 20, options, 3).first).toBeCloseTo(0.8, 2);
    // 20 + 3 = 23, 20 + 11 = 7 on the ring.
    expect(teacher.indexOf(Math.max(...teacher)) % 16).toBe(7);
  });

  test("has modes of the shape of a normal distribution, of this standard deviation", () => {
    for (const width of [1, 2.5]) {
      const one = bimodalLanguage({ ...options, weight: 1, width }).logProbs(0);
      for (const [id, distance] of [0, 1, 2, 5].map((d) => [3 + d, d] as const)) {
        expect(one[id]! - one[3]!).toBeCloseTo(-(distance ** 2) / (2 * width ** 2), 10);
        expect(one[(24 + 3 - distance) % 24]).toBeCloseTo(one[id]!, 10);
      }
    }
  });

  test("shows that forward KL covers and reverse KL seeks, for a student with one hill", () => {
    // Logits linear in 2 numbers with the ids on a circle: κ cos(θ_v − μ).
    const students = Array.from({ length: 48 }, (_, i) => i / 2).flatMap((center) =>
      Array.from({ length: 60 }, (_, i) => i / 2).map((sharpness) => {
        const logits = Array.from({ length: 24 }, (_, id) => {
          return sharpness * Math.cos((2 * Math.PI * (id - center)) / 24);
        });
        const total = Math.log(sum(logits.map(Math.exp)));
        return logits.map((logit) => logit - total);
      }),
    );
    const best = (divergence: (student: number[]) => number) =>
      students.reduce((a, b) => (divergence(b) < divergence(a) ? b : a));
    const covering = best((student) => tokenKl(teacher, student));
    const seeking = best((student) => tokenKl(student, teacher));
    const covered = modeMasses(covering, 20, options, 3);
    const sought = modeMasses(seeking, 20, options, 3);
    expect(covered.first).toBeCloseTo(covered.second, 2);
    expect(covered.outside).toBeGreaterThan(0.2);
    expect(Math.max(sought.first, sought.second)).toBeGreaterThan(0.9);
    expect(Math.min(sought.first, sought.second)).toBeLessThan(0.01);
    expect(tokenKl(covering, teacher)).toBeGreaterThan(2 * tokenKl(seeking, teacher));
  });
});
