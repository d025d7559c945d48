import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import type { Model } from "./model.js";
import type { Place } from "./part.js";

const affix = z.string().nullable().default(null);

export const bpeSchema = z.strictObject({
  dropout: z.union([z.null(), z.literal(0)]).default(null),
  unk_token: affix,
  continuing_subword_prefix: affix,
  end_of_word_suffix: affix,
  fuse_unk: z.boolean().nullable().default(false),
  byte_fallback: z.boolean().nullable().default(false),
  ignore_merges: z.boolean().nullable().default(false),
});
type BpeOptions = z.output<typeof bpeSchema>;

/** Ranks and results of merges, by the pair of their ids. */
interface Merges {
  readonly ranks: ReadonlyMap<number, number>;
  readonly results: Int32Array;
}

const encoder = new TextEncoder();
/** Ids stay far below it, so that a pair is one exact number. */
const pairBase = 2 ** 26;
/** Longer than any word: a merge and where it is are one exact number. */
const positionBase = 2 ** 32;

/**
 * Byte-pair encoding: characters, merged in the order of the merges' ranks. Characters outside the
 * vocabulary become their bytes (`<0x41>`, with `byte_fallback`), the unknown token, or nothing.
 * Source: tokenizers, models/bpe.
 */
export function bpeModel(
  options: BpeOptions,
  ids: ReadonlyMap<string, number>,
  mergesJson: unknown,
  place: Place,
): Model {
  const { unk_token, continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = options;
  const { ranks, results } = readMerges(mergesJson, ids, prefix ?? "", place);
  const unknownId = unk_token === null ? undefined : ids.get(unk_token);

  const symbolsOf = (word: string, onLost: () => void): number[] => {
    const symbols: number[] = [];
    let pending = 0;
    const flush = () => {
      for (; pending > 0; pending--) symbols.push(unknownId as number);
    };
    const characters = Array.from(word);
    for (const [i, character] of characters.entries()) {
      const isLast = i === characters.length - 1;
      const written = (i > 0 ? (prefix ?? "") : "") + character + (isLast ? (suffix ?? "") : "");
      const id = ids.get(written);
      if (id !== undefined) {
        flush();
        symbols.push(id);
        continue;
      }
      const bytes = options.byte_fallback === true ? byteIds(written, ids) : undefined;
      // The original leaves an unknown token that waits behind the bytes.
      if (bytes !== undefined) symbols.push(...bytes);
      else if (unknownId === undefined) onLost();
      else if (pending > 0 && options.fuse_unk !== true) symbols.push(unknownId);
      else pending = 1;
    }
    flush();
    return symbols;
  };

  const cutAt = prefix || suffix ? undefined : wordStart(ids, mergesJson);
  return {
    unknownId,
    ...(cutAt === undefined ? {} : { cutAt }),
    encode: (word, onLost) => {
      if (options.ignore_merges === true) {
        const whole = ids.get(word);
        if (whole !== undefined) return [whole];
      }
      return mergeAll(symbolsOf(word, onLost), { ranks, results });
    },
  };
}

export function byteIds(text: string, ids: ReadonlyMap<string, number>): number[] | undefined {
  const found: number[] = [];
  for (const byte of encoder.encode(text)) {
    const id = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id === undefined) return undefined;
    found.push(id);
  }
  return found;
}

function readMerges(
  json: unknown,
  ids: ReadonlyMap<string, number>,
  prefix: string,
  place: Place,
): Merges {
  const list = Array.isArray(json) ? (json as unknown[]) : [];
  const ranks = new Map<number, number>();
  const results = new Int32Array(list.length);
  for (const [rank, entry] of list.entries()) {
    const pair = typeof entry === "string" ? entry.split(" ") : entry;
    const isPair =
      Array.isArray(pair) && pair.length === 2 && pair.every((token) => typeof token === "string");
    const [left, right] = isPair ? (pair as string[]) : [];
    const [a, b] = [left, right].map((token) => ids.get(token as string));
    const merged = isPair ? ids.get(`${left}${right?.slice(prefix.length)}`) : undefined;
    if (a === undefined || b === undefined || merged === undefined) {
      throw new PupilError(
        "is a merge of tokens, or into one, that the vocabulary does not have.",
        {
          field: `${place.source}: model.merges[${rank}]`,
          value: entry,
          remedy: "The file seems damaged: fetch or export it again.",
        },
      );
    }
    ranks.set(a * pairBase + b, rank);
    results[rank] = merged;
  }
  return { ranks, results };
}

/**
 * "▁", where no token has it after another character: then no merge crosses the start of a word, and
 * the words of a text can be encoded one by one, and kept.
 */
function wordStart(ids: ReadonlyMap<string, number>, merges: unknown): string | undefined {
  if (!ids.has("▁") || !Array.isArray(merges)) return undefined;
  for (const token of ids.keys()) if (/[^▁]▁/.test(token)) return undefined;
  return "▁";
}

/**
 * Merges the pair of lowest rank, leftmost first, until there is none. An entry that another merge has
 * overtaken still counts where its pair, whichever it is by then, gives the same token: so it is in
 * the original, and it can matter.
 */
function mergeAll(symbols: number[], { ranks, results }: Merges): number[] {
  const count = symbols.length;
  if (count < 2) return symbols;
  const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
  const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
  const queue: number[] = [];
  const rankAt = (left: number, right: number) =>
    ranks.get((symbols[left] as number) * pairBase + (symbols[right] as number));
  const offer = (left: number, right: number) => {
    const rank = rankAt(left, right);
    if (rank !== undefined) push(queue, rank * positionBase + left);
  };
  for (let i = 0; i + 1 < count; i++) offer(i, i + 1);
  while (queue.length > 0) {
    const top = pop(queue);
    const rank = Math.floor(top / positionBase);
    const at = top - rank * positionBase;
    const right = next[at] as number;
    if (symbols[at] === -1 || right === -1) continue;
    const current = rankAt(at, right);
    if (current === undefined || results[current] !== results[rank]) continue;
    symbols[at] = results[rank] as number;
    symbols[right] = -1;
    const after = next[right] as number;
    next[at] = after;
    if (after !== -1) previous[after] = at;
    const before = previous[at] as number;
    if (before !== -1) offer(before, at);
    if (after !== -1) offer(at, after);
  }
  return symbols.filter((id) => id !== -1);
}

function push(heap: number[], value: number): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent] as number) <= value) break;
    heap[at] = heap[parent] as number;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): number {
  const top = heap[0] as number;
  const value = heap.pop() as number;
  const { length } = heap;
  if (length === 0) return top;
  let at = 0;
  for (let child = 1; child < length; child = 2 * at + 1) {
    if (child + 1 < length && (heap[child + 1] as number) < (heap[child] as number)) child += 1;
    if ((heap[child] as number) >= value) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = value;
  return top;
}
