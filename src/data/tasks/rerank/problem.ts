import type { Random } from "../../../tensors/index.js";
import { wordOf } from "./words.js";

/** A word by its topic. */
export interface TopicWord {
  readonly topic: number;
  readonly word: string;
}

export interface RerankPassage {
  readonly words: readonly TopicWord[];
  /** How many of the query's two topics it is about. */
  readonly grade: number;
}

/** A query about two topics, and passages of which each is about both of them, one or none. */
export interface RerankProblem {
  readonly query: readonly [TopicWord, TopicWord];
  readonly passages: readonly RerankPassage[];
}

export interface RerankWorld {
  readonly topics: number;
  readonly synonyms: number;
  readonly passageWords: number;
}

/**
 * A random problem with `count` passages. One passage at least is about both topics and one about a
 * single one; of the others a quarter is about both and a quarter about one, on average.
 */
export function drawRerankProblem(
  count: number,
  world: RerankWorld,
  random: Random,
): RerankProblem {
  const [first, second] = random.permutation(world.topics) as unknown as [number, number];
  const drawWord = (topic: number): TopicWord => {
    return { topic, word: wordOf(topic, random.integer(world.synonyms), world.synonyms) };
  };
  const foreign = () => {
    const topic = random.integer(world.topics - 2);
    const [low, high] = first < second ? [first, second] : [second, first];
    const past = topic >= low ? topic + 1 : topic;
    return drawWord(past >= high ? past + 1 : past);
  };
  const passage = (grade: number): RerankPassage => {
    const topics =
      grade === 2 ? [first, second] : grade === 1 ? [random.pick([first, second])] : [];
    const words = topics.map(drawWord);
    while (words.length < world.passageWords) words.push(foreign());
    return { words: shuffled(words, random), grade };
  };
  const grades = Array.from({ length: count }, (_, i) =>
    i < 2 ? 2 - i : (random.pick([2, 1, 0, 0]) as number),
  );
  const query = [drawWord(first), drawWord(second)] as const;
  return { query, passages: shuffled(grades, random).map(passage) };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return [...random.permutation(items.length)].map((i) => items[i] as T);
}

export const textOf = (words: readonly TopicWord[]): string =>
  words.map(({ word }) => word).join(" ");
