import { PupilError } from "../../errors/index.js";
import type { Tokenizer } from "../types.js";
import {
  type SpecialTokensOption,
  specialIds,
  tokenizerConfigJson,
  tokenizerJson,
} from "./special-tokens.js";
import { fingerprintVocabulary, isObject, type JsonObject, readVocabulary } from "./vocabulary.js";

const everyCharacter = { Regex: "[\\s\\S]" };

/**
 * One token per character (Unicode code point). Ids follow the sorted characters of a text, as in
 * nanoGPT, or the order of a given alphabet; `<pad>` and `<end>` come after them.
 *
 * Its `tokenizer.json` is a WordLevel model behind a pre-tokenizer that isolates every character,
 * so that Hugging Face's libraries load it. They differ in one point: there a literal `<end>` in
 * the text becomes the special token, here it stays five characters.
 */
export function characterTokenizer(
  source: string | { readonly alphabet: string },
  options: SpecialTokensOption = {},
): Tokenizer {
  const characters =
    typeof source === "string" ? sortedCharacters(source) : distinctCharacters(source.alphabet);
  if (characters.length === 0) {
    throw new PupilError("A character tokenizer needs at least one character.", {
      remedy: "Give a text or an alphabet that is not empty.",
    });
  }
  const idOf = new Map(characters.map((character, id) => [character, id]));
  const special = specialIds(characters.length, options.specialTokens ?? true);
  const vocab = Object.fromEntries([...idOf, ...Object.entries(special)]);
  const json = tokenizerJson(special, {
    pre_tokenizer: {
      type: "Split",
      pattern: everyCharacter,
      behavior: "Isolated",
      invert: false,
    },
    decoder: { type: "Fuse" },
    // Python insists on a name; it is not in the vocabulary, so unknown characters are errors there too.
    model: { type: "WordLevel", vocab, unk_token: "<unknown>" },
  });
  const endId = special["<end>"];
  return {
    vocabSize: characters.length + Object.keys(special).length,
    startIds: [],
    endIds: endId === undefined ? [] : [endId],
    padId: special["<pad>"] ?? 0,
    fingerprint: fingerprintVocabulary(readVocabulary(json, "tokenizer.json")),
    encode: (text) => Array.from(text, (c, i) => idOf.get(c) ?? unknown(text, c, i, idOf.size)),
    decode: (ids) => {
      // Ids above the characters are special tokens, or lie outside: a model may have spare rows.
      return ids.map((id) => characters[id] ?? "").join("");
    },
    tokenBytes: (id) => new TextEncoder().encode(characters[id] ?? ""),
    toJson: () => json,
    toConfigJson: () => tokenizerConfigJson(special),
  };
}

/** The character tokenizer that wrote this `tokenizer.json`, or undefined if another one did. */
export function characterTokenizerFromJson(json: JsonObject): Tokenizer | undefined {
  const { model, pre_tokenizer: split, added_tokens: added, normalizer } = json;
  if (!isObject(model) || !isObject(split) || !isObject(model.vocab)) return undefined;
  if (model.type !== "WordLevel" || split.type !== "Split" || normalizer != null) return undefined;
  if (!isObject(split.pattern) || split.pattern.Regex !== everyCharacter.Regex) return undefined;
  const specialTokens = Array.isArray(added) && added.length > 0;
  const ordered = Object.entries(model.vocab).sort(([, a], [, b]) => Number(a) - Number(b));
  const characters = ordered.slice(0, specialTokens ? -2 : undefined).map(([token]) => token);
  if (characters.some((c) => Array.from(c).length !== 1)) return undefined;
  const tokenizer = characterTokenizer({ alphabet: characters.join("") }, { specialTokens });
  // The file may look alike and yet use other special tokens or ids.
  const found = fingerprintVocabulary(readVocabulary(json, "tokenizer.json"));
  return found === tokenizer.fingerprint ? tokenizer : undefined;
}

function sortedCharacters(text: string): string[] {
  const byCodePoint = (a: string, b: string) =>
    (a.codePointAt(0) as number) - (b.codePointAt(0) as number);
  return [...new Set(text)].sort(byCodePoint);
}

function distinctCharacters(alphabet: string): string[] {
  const characters = Array.from(alphabet);
  const twice = characters.find((c, i) => characters.indexOf(c) !== i);
  if (twice === undefined) return characters;
  throw new PupilError(`has the character ${JSON.stringify(twice)} twice.`, {
    field: "alphabet",
    value: alphabet,
    remedy: "Name each character once.",
  });
}

function unknown(text: string, character: string, position: number, size: number): never {
  const codePoint = (character.codePointAt(0) as number).toString(16).toUpperCase();
  const line = Array.from(text).slice(0, position).join("").split("\n").length;
  const name = `${JSON.stringify(character)} (U+${codePoint.padStart(4, "0")})`;
  throw new PupilError(
    `The character ${name} at position ${position} (line ${line}) is not among the ${size} ` +
      "characters of the tokenizer.",
    {
      value: character,
      remedy:
        "Make the tokenizer from a text that has every character you use, or take the byte tokenizer.",
    },
  );
}
