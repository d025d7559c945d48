import { PupilError } from "../../errors/index.js";
import { byteCharacters } from "./byte-characters.js";
import { countWords, type WordCounts } from "./count-words.js";
import { learnMerges } from "./learn-merges.js";
import { endToken, padToken, tokenizerConfigJson, tokenizerJson } from "./special-tokens.js";
import type { JsonObject } from "./vocabulary.js";

export interface TrainBpeOptions {
  /** Ids in all: 256 bytes, the merges, then the special tokens. */
  readonly vocabSize: number;
  /** A pair of tokens is merged only if it occurs so often. Default 2. */
  readonly minFrequency?: number;
  /** Beside `<pad>` and `<end>`, which are always there; texts are never merged across them. */
  readonly specialTokens?: readonly string[];
  /** Called after every merge. */
  readonly onMerge?: (count: number) => void;
}

/** A trained tokenizer as its two files, and what its training text becomes. */
export interface TrainedBpe {
  /** `tokenizer.json`, for `tokenizerFromJson` and Hugging Face's libraries. */
  readonly json: JsonObject;
  /** `tokenizer_config.json`. */
  readonly configJson: JsonObject;
  readonly report: TrainBpeReport;
}

export interface TrainBpeReport {
  /** Ids found; fewer than asked for where the text ran out of pairs. */
  readonly vocabSize: number;
  readonly merges: number;
  /** Different words of the text. */
  readonly words: number;
  readonly bytes: number;
  /** Tokens of the text with this tokenizer; `bytes / tokens` is its compression. */
  readonly tokens: number;
}

/** The special tokens of a trained tokenizer, in the order of their ids. */
export function bpeSpecialTokens(extra: readonly string[] = []): string[] {
  return [padToken, endToken, ...extra];
}

/**
 * Merges that a vocabulary has room for.
 *
 * @throws PupilError if it has none, or a special token cannot be one
 */
export function mergesWanted({ vocabSize, specialTokens }: TrainBpeOptions): number {
  const specials = bpeSpecialTokens(specialTokens);
  checkSpecialTokens(specials);
  const merges = vocabSize - 256 - specials.length;
  if (Number.isInteger(merges) && merges >= 1) return merges;
  throw new PupilError(`is ${vocabSize}, which leaves no room for a merge.`, {
    field: "vocabSize",
    value: vocabSize,
    remedy: `With 256 bytes and ${specials.length} special tokens it must be at least ${257 + specials.length}.`,
  });
}

/**
 * Trains a byte-level BPE tokenizer with GPT-2's words: any text can be encoded, and decoding gives
 * it back. Ids 0 to 255 are the bytes, as in `byteTokenizer`; merges follow in the order they were
 * learned, then `<pad>`, `<end>` and other special tokens. The result depends on the text alone.
 *
 * @param texts whole texts, or counts from `wordCounter` for texts that do not fit into memory
 * @throws PupilError if there is no text, `vocabSize` has no room for a merge, or a special token
 *   cannot be one
 */
export function trainBpe(
  texts: Iterable<string> | WordCounts,
  options: TrainBpeOptions,
): TrainedBpe {
  const specials = bpeSpecialTokens(options.specialTokens);
  const maxMerges = mergesWanted(options);
  const counts = isCounts(texts) ? texts : countWords(texts, specials);
  if (counts.size === 0) {
    throw new PupilError("There is no text to train a tokenizer on.", {
      remedy: "Give texts that are not empty.",
    });
  }
  const learned = learnMerges(counts, {
    maxMerges,
    minFrequency: options.minFrequency ?? 2,
    ...(options.onMerge === undefined ? {} : { onMerge: options.onMerge }),
  });
  const characters = byteCharacters();
  const written = learned.tokens.map((bytes) =>
    Array.from(bytes, (byte) => characters[byte.charCodeAt(0)]).join(""),
  );
  const special = Object.fromEntries(specials.map((token, i) => [token, written.length + i]));
  const ordinary = new Set(written);
  const clash = specials.find((token) => ordinary.has(token));
  if (clash !== undefined) throw notSpecial(clash, "is also a token of ordinary text");
  return {
    json: bpeJson(written, learned.merges, special),
    configJson: configJson(special, options.specialTokens ?? []),
    report: {
      vocabSize: written.length + specials.length,
      merges: learned.merges.length,
      words: counts.size,
      bytes: learned.corpusBytes,
      tokens: learned.corpusTokens,
    },
  };
}

function bpeJson(
  written: readonly string[],
  merges: readonly (readonly [number, number])[],
  special: Record<string, number>,
): JsonObject {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const vocab = Object.fromEntries([
    ...written.map((token, id) => [token, id] as const),
    ...Object.entries(special),
  ]);
  return tokenizerJson(special, {
    pre_tokenizer: { ...byteLevel, use_regex: true },
    decoder: { ...byteLevel, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: merges.map(([left, right]) => [written[left], written[right]]),
    },
  });
}

function configJson(special: Record<string, number>, extra: readonly string[]): JsonObject {
  const config = tokenizerConfigJson(special);
  return extra.length === 0 ? config : { ...config, additional_special_tokens: extra };
}

function checkSpecialTokens(specials: readonly string[]): void {
  for (const [i, token] of specials.entries()) {
    if (specials.indexOf(token) !== i) throw notSpecial(token, "is there twice");
    if (Array.from(token).length < 2) throw notSpecial(token, "is shorter than two characters");
  }
}

function notSpecial(token: string, problem: string): PupilError {
  return new PupilError(`${JSON.stringify(token)} ${problem}.`, {
    field: "specialTokens",
    value: token,
    remedy: `Name each once, written so that no text contains it, such as "<user>"; ${padToken} and ${endToken} are always there.`,
  });
}

function isCounts(texts: Iterable<string> | WordCounts): texts is WordCounts {
  return texts instanceof Map;
}
