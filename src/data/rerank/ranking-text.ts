/** Passages of a query as a text to rank: `query: …`, `[1] …`, `[2] …`, `rank:`. */
export function writeRankingPrompt(query: string, passages: readonly string[]): string {
  const lines = passages.map((text, i) => `[${i + 1}] ${text}\n`);
  return `query: ${query}\n${lines.join("")}rank:\n`;
}

/** `[2] > [1] > [3]`, of places from 0. */
export function writeRanking(order: readonly number[]): string {
  return order.map((place) => `[${place + 1}]`).join(" > ");
}

/** What a completion says about the order of its passages. */
export interface ReadRanking {
  /** Places from 0, every one once. */
  readonly order: readonly number[];
  /** Places that it named as it should: each once, of a passage that there is. */
  readonly named: number;
  /** Whether that was the whole order, and nothing else. */
  readonly isWhole: boolean;
}

/**
 * Reads the last line of a completion as an order of `count` passages. What is repeated or is no passage
 * is passed over, and passages that were not named follow in the order they were given in (as DeAR and
 * RankGPT have it).
 */
export function readRanking(completion: string, count: number): ReadRanking {
  const text = completion.trimEnd();
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const places = [...line.matchAll(/\[(\d+)\]/g)].map(([, digits]) => Number(digits) - 1);
  const named = [...new Set(places)].filter((place) => place >= 0 && place < count);
  const rest = Array.from({ length: count }, (_, i) => i).filter((i) => !named.includes(i));
  const isWhole = named.length === count && places.length === count;
  return { order: [...named, ...rest], named: named.length, isWhole };
}

/** A window over the places `start` to `end` (exclusive) of a list. */
export interface RankingWindow {
  readonly start: number;
  readonly end: number;
}

/**
 * Windows from the bottom of a list to its top, so that what belongs there is carried upwards; each is
 * `stride` above the one before, the last begins at the first place.
 *
 * @see https://arxiv.org/abs/2304.09542 (RankGPT), section 3.2
 */
export function rankingWindows(length: number, size: number, stride: number): RankingWindow[] {
  const windows: RankingWindow[] = [];
  let end = length;
  while (end > 0) {
    const start = Math.max(0, end - size);
    windows.push({ start, end });
    if (start === 0) break;
    end -= stride;
  }
  return windows;
}
