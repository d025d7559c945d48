import type { WordCounts } from "./count-words.js";
import { pairQueue } from "./pair-queue.js";

/** What byte pair encoding learned from a corpus. */
export interface LearnedMerges {
  /** Ids of the two tokens that become token `256 + index`; the ids below 256 are the bytes. */
  readonly merges: readonly (readonly [left: number, right: number])[];
  /** Each token's bytes, one character of code 0 to 255 per byte. */
  readonly tokens: readonly string[];
  /** Tokens of the whole corpus after the last merge. */
  readonly corpusTokens: number;
  /** UTF-8 bytes of the whole corpus. */
  readonly corpusBytes: number;
}

export interface LearnOptions {
  readonly maxMerges: number;
  /** A pair is merged only if it occurs so often. */
  readonly minFrequency: number;
  readonly onMerge?: (count: number) => void;
}

/** The words of a corpus as one row of symbols, each linked to its neighbours in its word. */
interface Symbols {
  /** Token at each place, -1 where a merge removed it. */
  readonly token: Int32Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** How often the word of the place occurs. */
  readonly weight: Float64Array;
}

/**
 * Byte pair encoding (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909, on bytes as in
 * GPT-2): the most frequent pair of neighbouring tokens becomes a token, again and again. Of
 * equally frequent pairs the one with the greater bytes is taken, the left token deciding first,
 * so that the same counts always give the same merges.
 *
 * Only the places of the merged pair are visited, and the next pair comes from a queue whose
 * outdated entries are put back when they surface.
 */
export function learnMerges(counts: WordCounts, options: LearnOptions): LearnedMerges {
  const symbols = symbolsOf(counts);
  const tokens = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const merges: [number, number][] = [];
  const pairs = pairQueue(tokens, options.minFrequency);
  const { token, next, previous, weight } = symbols;
  let corpusBytes = 0;
  for (let place = 0; place < token.length; place++) {
    corpusBytes += weight[place] as number;
    const right = next[place] as number;
    if (right >= 0)
      pairs.add(token[place] as number, token[right] as number, place, weight[place] as number);
  }
  pairs.enqueueNew();
  let corpusTokens = corpusBytes;
  while (merges.length < options.maxMerges) {
    const best = pairs.takeBest();
    if (best === undefined) break;
    const { left, right, places } = best;
    const merged = tokens.length;
    tokens.push(`${tokens[left]}${tokens[right]}`);
    merges.push([left, right]);
    for (const place of places) {
      const second = next[place] as number;
      // An earlier merge may have taken either symbol.
      if (token[place] !== left || second < 0 || token[second] !== right) continue;
      const times = weight[place] as number;
      const before = previous[place] as number;
      const after = next[second] as number;
      if (before >= 0) {
        pairs.remove(token[before] as number, left, times);
        pairs.add(token[before] as number, merged, before, times);
      }
      if (after >= 0) {
        pairs.remove(right, token[after] as number, times);
        pairs.add(merged, token[after] as number, place, times);
        previous[after] = place;
      }
      token[place] = merged;
      token[second] = -1;
      next[place] = after;
      corpusTokens -= times;
    }
    pairs.enqueueNew();
    options.onMerge?.(merges.length);
  }
  return { merges, tokens, corpusTokens, corpusBytes };
}

function symbolsOf(counts: WordCounts): Symbols {
  const encoder = new TextEncoder();
  const words: Uint8Array[] = [];
  let size = 0;
  for (const word of counts.keys()) {
    const bytes = encoder.encode(word);
    words.push(bytes);
    size += bytes.length;
  }
  const token = new Int32Array(size);
  const next = new Int32Array(size);
  const previous = new Int32Array(size);
  const weight = new Float64Array(size);
  const times = counts.values();
  let place = 0;
  for (const bytes of words) {
    const count = times.next().value as number;
    for (const [i, byte] of bytes.entries()) {
      token[place] = byte;
      previous[place] = i === 0 ? -1 : place - 1;
      next[place] = i === bytes.length - 1 ? -1 : place + 1;
      weight[place] = count;
      place += 1;
    }
  }
  return { token, next, previous, weight };
}
