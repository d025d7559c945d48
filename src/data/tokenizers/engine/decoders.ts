import { z } from "zod";
import { characterBytes } from "../byte-characters.js";
import { decodeBytes } from "./byte-text.js";
import { replaceMatches } from "./normalizers.js";
import { buildPart, type PartKinds, type Place, partKind, within } from "./part.js";
import { readPattern } from "./pattern.js";

/** Turns the tokens of a text, as the vocabulary writes them, into parts of the text. */
export type Decoder = (tokens: readonly string[]) => readonly string[];

const none = z.strictObject({});

const kinds: PartKinds<Decoder> = {
  Sequence: partKind(z.strictObject({ decoders: z.array(z.unknown()) }), ({ decoders }, place) => {
    const steps = decoders.map((json, i) =>
      buildPart(kinds, json, within(place, `decoders[${i}]`)),
    );
    return (tokens) => steps.reduce((at, step) => step(at), tokens);
  }),
  ByteLevel: partKind(
    z.strictObject({
      add_prefix_space: z.boolean().optional(),
      trim_offsets: z.boolean().optional(),
      use_regex: z.boolean().optional(),
    }),
    () => byteLevel,
  ),
  ByteFallback: partKind(none, () => byteFallback),
  Fuse: partKind(none, () => (tokens) => [tokens.join("")]),
  Replace: partKind(
    z.strictObject({ pattern: z.unknown(), content: z.string() }),
    ({ pattern, content }, place) => {
      const found = readPattern(pattern, place);
      return (tokens) => tokens.map((token) => replaceMatches(token, found, content));
    },
  ),
  Strip: partKind(
    z.strictObject({ content: z.string(), start: z.int().min(0), stop: z.int().min(0) }),
    ({ content, start, stop }) =>
      (tokens) =>
        tokens.map((token) => stripped(Array.from(token), content, start, stop)),
  ),
  Metaspace: partKind(
    z.strictObject({
      replacement: z.string(),
      prepend_scheme: z.enum(["always", "first", "never"]).default("always"),
      split: z.boolean().nullish(),
      add_prefix_space: z.boolean().nullish(),
      str_rep: z.string().nullish(),
    }),
    ({ replacement, prepend_scheme }) =>
      (tokens) =>
        tokens.map((token, i) =>
          // Of the first token all of them are left out, not only the one that was prepended.
          token.replaceAll(replacement, i === 0 && prepend_scheme !== "never" ? "" : " "),
        ),
  ),
  WordPiece: partKind(
    z.strictObject({ prefix: z.string(), cleanup: z.boolean() }),
    ({ prefix, cleanup }) =>
      (tokens) =>
        tokens.map((token, i) => {
          const joined = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
          const text = i === 0 ? token : joined;
          return cleanup ? cleanUp(text) : text;
        }),
  ),
  BPEDecoder: partKind(
    z.strictObject({ suffix: z.string() }),
    ({ suffix }) =>
      (tokens) =>
        tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? "" : " ")),
  ),
  CTC: partKind(
    z.strictObject({
      pad_token: z.string(),
      word_delimiter_token: z.string(),
      cleanup: z.boolean(),
    }),
    ({ pad_token, word_delimiter_token, cleanup }) =>
      (tokens) =>
        tokens
          .filter((token, i) => token !== tokens[i - 1])
          .map((token) => {
            const text = token.replaceAll(pad_token, "");
            return cleanup ? cleanUp(text).replaceAll(word_delimiter_token, " ") : text;
          })
          .filter((text) => text !== ""),
  ),
};

/** The decoder of a `tokenizer.json`; without one tokens are joined with blanks, as in the original. */
export function readDecoder(json: unknown, place: Place): (tokens: readonly string[]) => string {
  if (json == null) return (tokens) => tokens.join(" ");
  const decode = buildPart(kinds, json, place);
  return (tokens) => (tokens.length === 0 ? "" : decode(tokens).join(""));
}

const replacements: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** `clean_up_tokenization_spaces` of transformers: no blanks before English punctuation. */
export function cleanUpSpaces(text: string): string {
  return replacements
    .filter(([from]) => from !== " do not")
    .reduce((at, [from, to]) => at.replaceAll(from, to), text);
}

/** Source: tokenizers, decoders/wordpiece.rs. */
function cleanUp(text: string): string {
  return replacements.reduce((at, [from, to]) => at.replaceAll(from, to), text);
}

const bytesOf = characterBytes();
const encoder = new TextEncoder();

/** A token with a character outside the alphabet is text as it is. */
function byteLevel(tokens: readonly string[]): string[] {
  const bytes = tokens.flatMap((token) => {
    const own = Array.from(token, (character) => bytesOf.get(character));
    return own.includes(undefined) ? Array.from(encoder.encode(token)) : (own as number[]);
  });
  return [decodeBytes(Uint8Array.from(bytes))];
}

/** `<0x41>` and the like as bytes; a run of them that is not UTF-8 becomes one U+FFFD for each. */
function byteFallback(tokens: readonly string[]): string[] {
  const out: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      out.push(strictDecoder().decode(Uint8Array.from(bytes)));
    } catch {
      out.push(...bytes.map(() => "\ufffd"));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const digits = /^<0x([0-9a-fA-F]{2}|\+[0-9a-fA-F])>$/.exec(token)?.[1];
    if (digits !== undefined) {
      bytes.push(Number.parseInt(digits, 16));
      continue;
    }
    flush();
    out.push(token);
  }
  flush();
  return out;
}

const strictDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

function stripped(
  characters: readonly string[],
  content: string,
  start: number,
  stop: number,
): string {
  let from = 0;
  while (from < start && characters[from] === content) from += 1;
  let to = characters.length;
  while (characters.length - to < stop && characters[to - 1] === content) to -= 1;
  return characters.slice(from, Math.max(from, to)).join("");
}
