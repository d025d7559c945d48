import { characterBytes } from "./byte-characters.js";
import { isObject, type JsonObject, tokensById, type Vocabulary } from "./vocabulary.js";

/** How a vocabulary writes text, told by the decoder of its `tokenizer.json`. */
interface Notation {
  readonly isUsedBy: (parts: readonly JsonObject[], model: JsonObject) => boolean;
  /** The bytes of a token that is not an added one. */
  readonly reader: (model: JsonObject) => (token: string) => Uint8Array;
}

const encoder = new TextEncoder();
const hasType = (parts: readonly JsonObject[], type: string) =>
  parts.some((part) => part.type === type);

const notations: readonly Notation[] = [
  {
    isUsedBy: (parts) => hasType(parts, "ByteLevel"),
    reader: () => {
      const bytes = characterBytes();
      // A character outside the alphabet stands for itself.
      return (token) =>
        Uint8Array.from(
          Array.from(token).flatMap((c) => bytes.get(c) ?? Array.from(encoder.encode(c))),
        );
    },
  },
  {
    isUsedBy: (parts, model) =>
      model.byte_fallback === true || hasType(parts, "Metaspace") || hasType(parts, "ByteFallback"),
    reader: () => (token) => {
      const byte = /^<0x([0-9A-F]{2})>$/i.exec(token)?.[1];
      if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
      return encoder.encode(token.replaceAll("▁", " "));
    },
  },
  {
    isUsedBy: (parts, model) => model.type === "WordPiece" || hasType(parts, "WordPiece"),
    reader: (model) => {
      const { continuing_subword_prefix: given } = model;
      const prefix = typeof given === "string" ? given : "##";
      return (token) =>
        encoder.encode(token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`);
    },
  },
  {
    isUsedBy: (_parts, model) =>
      typeof model.end_of_word_suffix === "string" && model.end_of_word_suffix !== "",
    reader: (model) => {
      const suffix = model.end_of_word_suffix as string;
      return (token) =>
        encoder.encode(token.endsWith(suffix) ? `${token.slice(0, -suffix.length)} ` : token);
    },
  },
  { isUsedBy: () => true, reader: () => (token) => encoder.encode(token) },
];

const nothing = new Uint8Array(0);

/**
 * The bytes of text that each id of a `tokenizer.json` stands for; see `Tokenizer.tokenBytes`.
 * Tokens that begin a word carry its space ("▁the", "Ġthe" and WordPiece's "the" are " the"), special
 * tokens and ids outside the vocabulary have no bytes.
 */
export function tokenBytesOf(json: JsonObject, vocabulary: Vocabulary): (id: number) => Uint8Array {
  const model = json.model as JsonObject;
  const parts = [...componentsOf(json.decoder), ...componentsOf(json.pre_tokenizer)];
  const notation = notations.find(({ isUsedBy }) => isUsedBy(parts, model)) as Notation;
  const read = notation.reader(model);
  const added = new Set(
    (Array.isArray(json.added_tokens) ? (json.added_tokens as JsonObject[]) : []).map(
      ({ content }) => content,
    ),
  );
  const bytes: (Uint8Array | undefined)[] = [];
  for (const [id, token] of tokensById(vocabulary)) {
    if (vocabulary.specialTokens.has(token)) continue;
    bytes[id] = added.has(token) ? encoder.encode(token) : read(token);
  }
  return (id) => bytes[id] ?? nothing;
}

/** A decoder, pre-tokenizer or normalizer, or those it is a sequence of. */
export function componentsOf(component: unknown): JsonObject[] {
  if (!isObject(component)) return [];
  const inner = component.decoders ?? component.pretokenizers ?? component.normalizers;
  return Array.isArray(inner) ? inner.filter(isObject) : [component];
}
