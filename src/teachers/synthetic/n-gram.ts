import { PupilError } from "../../errors/index.js";
import type { ExactLanguage } from "./exact-language.js";

/**
 * How an n-gram model gives probability to what it has not counted.
 *
 *     add-k         P(v | h) = (c(h v) + k) / (c(h) + k V)
 *     interpolated  P(v | h) = λ c(h v) / c(h) + (1 − λ) P(v | h without its first id),
 *                   down to 1 / V; a history that never occurred passes all to the shorter one
 */
export type Smoothing =
  | { readonly type: "add-k"; readonly k: number }
  | { readonly type: "interpolated"; readonly lambda: number };

export interface NGramOptions {
  readonly vocabSize: number;
  /** n: ids that a probability depends on, itself included. 1 is a unigram. */
  readonly order: number;
  readonly smoothing: Smoothing;
}

/** What followed one history. */
interface Followers {
  total: number;
  readonly counts: Map<number, number>;
}

/**
 * An n-gram model of sequences of ids, with exact probabilities. Where fewer than n − 1 ids came
 * before, the history is shorter, as it was when the sequences were counted.
 *
 * @param sequences each counted by itself: no history reaches into the sequence before
 * @throws PupilError if there is nothing to count
 * @see Jelinek & Mercer 1980 for the interpolation; Chen & Goodman 1999 for both
 */
export function nGramLanguage(
  sequences: readonly (readonly number[])[],
  { vocabSize, order, smoothing }: NGramOptions,
): ExactLanguage<readonly number[]> {
  if (sequences.every((ids) => ids.length < 2)) {
    throw new PupilError("The text has no two tokens in a row, so there is nothing to count.", {
      field: "teacher.path",
      remedy: "Give a longer text.",
    });
  }
  const table = countFollowers(sequences, order, smoothing.type === "interpolated");
  const probabilities =
    smoothing.type === "add-k"
      ? (history: readonly number[]) => addK(table, history, vocabSize, smoothing.k)
      : (history: readonly number[]) => interpolated(table, history, vocabSize, smoothing.lambda);
  return {
    vocabSize,
    start: [],
    // slice(-0) would keep everything.
    advance: (history, id) => (order === 1 ? [] : [...history, id].slice(1 - order)),
    logProbs: (history) => probabilities(history).map(Math.log),
  };
}

const keyOf = (history: readonly number[]) => history.join(",");

function countFollowers(
  sequences: readonly (readonly number[])[],
  order: number,
  everyLength: boolean,
): ReadonlyMap<string, Followers> {
  const table = new Map<string, Followers>();
  const count = (history: readonly number[], id: number) => {
    const key = keyOf(history);
    const followers = table.get(key) ?? { total: 0, counts: new Map<number, number>() };
    followers.total += 1;
    followers.counts.set(id, (followers.counts.get(id) ?? 0) + 1);
    table.set(key, followers);
  };
  for (const ids of sequences) {
    for (const [position, id] of ids.entries()) {
      const longest = Math.min(order - 1, position);
      const shortest = everyLength ? 0 : longest;
      for (let length = shortest; length <= longest; length++) {
        count(ids.slice(position - length, position), id);
      }
    }
  }
  return table;
}

function addK(
  table: ReadonlyMap<string, Followers>,
  history: readonly number[],
  vocabSize: number,
  k: number,
): Float64Array {
  const { total = 0, counts } = table.get(keyOf(history)) ?? {};
  const probabilities = new Float64Array(vocabSize).fill(k / (total + k * vocabSize));
  for (const [id, count] of counts ?? []) {
    probabilities[id] = (count + k) / (total + k * vocabSize);
  }
  return probabilities;
}

function interpolated(
  table: ReadonlyMap<string, Followers>,
  history: readonly number[],
  vocabSize: number,
  lambda: number,
): Float64Array {
  const probabilities = new Float64Array(vocabSize).fill(1 / vocabSize);
  for (let length = 0; length <= history.length; length++) {
    const followers = table.get(keyOf(history.slice(history.length - length)));
    if (followers === undefined) continue;
    for (let id = 0; id < vocabSize; id++) {
      probabilities[id] = (probabilities[id] as number) * (1 - lambda);
    }
    for (const [id, count] of followers.counts) {
      probabilities[id] = (probabilities[id] as number) + (lambda * count) / followers.total;
    }
  }
  return probabilities;
}
