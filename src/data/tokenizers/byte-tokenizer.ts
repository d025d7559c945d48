import type { Tokenizer } from "../types.js";
import { byteCharacters } from "./byte-characters.js";
import {
  type SpecialTokensOption,
  specialIds,
  tokenizerConfigJson,
  tokenizerJson,
} from "./special-tokens.js";
import { fingerprintVocabulary, isObject, type JsonObject, readVocabulary } from "./vocabulary.js";
import { assertWellFormed } from "./well-formed.js";

/**
 * One token per UTF-8 byte, its id being the byte; `<pad>` is 256 and `<end>` 257. Any text can be
 * encoded. Bytes that are not UTF-8 decode to U+FFFD.
 *
 * Its `tokenizer.json` is a BPE model without merges in GPT-2's byte alphabet.
 */
export function byteTokenizer(options: SpecialTokensOption = {}): Tokenizer {
  const special = specialIds(256, options.specialTokens ?? true);
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const characters = byteCharacters();
  const vocab = Object.fromEntries([
    ...characters.map((character, byte) => [character, byte] as const),
    ...Object.entries(special),
  ]);
  const json = tokenizerJson(special, {
    pre_tokenizer: { ...byteLevel, use_regex: false },
    decoder: { ...byteLevel, use_regex: false },
    model: { type: "BPE", vocab, merges: [] },
  });
  const endId = special["<end>"];
  return {
    vocabSize: 256 + Object.keys(special).length,
    startIds: [],
    endIds: endId === undefined ? [] : [endId],
    padId: special["<pad>"] ?? 0,
    fingerprint: fingerprintVocabulary(readVocabulary(json, "tokenizer.json")),
    encode: (text) => {
      assertWellFormed(text);
      return Array.from(new TextEncoder().encode(text));
    },
    decode: (ids) => {
      const bytes = Uint8Array.from(ids.filter((id) => id < 256));
      // TextDecoder would drop a leading byte order mark, which is text like any other here.
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    },
    tokenBytes: (id) => (id >= 0 && id < 256 ? Uint8Array.of(id) : new Uint8Array(0)),
    toJson: () => json,
    toConfigJson: () => tokenizerConfigJson(special),
  };
}

/** The byte tokenizer that wrote this `tokenizer.json`, or undefined if another one did. */
export function byteTokenizerFromJson(json: JsonObject): Tokenizer | undefined {
  const { model, pre_tokenizer: pre, added_tokens: added, normalizer } = json;
  if (!isObject(model) || !isObject(pre) || model.type !== "BPE") return undefined;
  if (pre.type !== "ByteLevel" || pre.use_regex !== false || pre.add_prefix_space !== false) {
    return undefined;
  }
  if (normalizer != null || !Array.isArray(model.merges) || model.merges.length > 0) {
    return undefined;
  }
  const tokenizer = byteTokenizer({ specialTokens: Array.isArray(added) && added.length > 0 });
  const found = fingerprintVocabulary(readVocabulary(json, "tokenizer.json"));
  return found === tokenizer.fingerprint ? tokenizer : undefined;
}
