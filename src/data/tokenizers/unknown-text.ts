import { PupilError } from "../../errors/index.js";
import { byteCharacters } from "./byte-characters.js";
import { componentsOf } from "./token-bytes.js";
import type { JsonObject, Vocabulary } from "./vocabulary.js";

type Encode = (text: string) => readonly number[];

/**
 * A check for text that a tokenizer would lose: as its unknown token, or silently, where a byte-level
 * vocabulary lacks some bytes. The check throws a PupilError that names the text.
 */
export function unknownTextCheck(
  json: JsonObject,
  vocabulary: Vocabulary,
  encode: Encode,
): (text: string, ids: readonly number[]) => void {
  const unknownId = unknownTokenId(json, vocabulary);
  const missing = missingBytes(json, vocabulary);
  const composes = componentsOf(json.normalizer).some(({ type }) => type === "NFC");
  const losesBytes = (text: string) => {
    if (missing.size === 0) return false;
    const bytes = new TextEncoder().encode(composes ? text.normalize("NFC") : text);
    return bytes.some((byte) => missing.has(byte));
  };
  const isUnknown = (ids: readonly number[]) => unknownId !== undefined && ids.includes(unknownId);
  return (text, ids) => {
    if (!isUnknown(ids) && !losesBytes(text)) return;
    throw unknownText(text, (part) => isUnknown(encode(part)) || losesBytes(part));
  };
}

/** The id that stands for text outside the vocabulary; byte-level tokenizers never produce it. */
function unknownTokenId(json: JsonObject, vocabulary: Vocabulary): number | undefined {
  const model = json.model as JsonObject;
  if (typeof model.unk_token === "string") return vocabulary.ids.get(model.unk_token);
  return typeof model.unk_id === "number" ? model.unk_id : undefined;
}

function missingBytes(json: JsonObject, vocabulary: Vocabulary): ReadonlySet<number> {
  const parts = componentsOf(json.pre_tokenizer);
  if (!parts.some(({ type }) => type === "ByteLevel")) return new Set();
  const all = byteCharacters().map((character, byte) => ({ character, byte }));
  const absent = all.filter(({ character }) => !vocabulary.ids.has(character));
  // UTF-8 never has these, and some vocabularies leave them out.
  const neverUsed = (byte: number) => byte === 0xc0 || byte === 0xc1 || byte > 0xf4;
  return new Set(absent.map(({ byte }) => byte).filter((byte) => !neverUsed(byte)));
}

function unknownText(text: string, isUnknown: (part: string) => boolean): PupilError {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const word = words.find(isUnknown) ?? text.slice(0, 40);
  const character = Array.from(word).find(isUnknown);
  const where =
    character === undefined || character === word ? "" : ` (in ${JSON.stringify(word)})`;
  return new PupilError(
    `The tokenizer has no token for ${JSON.stringify(character ?? word)}${where}.`,
    { value: word, remedy: "Remove the text, or take a tokenizer with byte fallback." },
  );
}
