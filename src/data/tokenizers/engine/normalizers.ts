import { z } from "zod";
import {
  bertControls,
  bertMarks,
  combiningMarks,
  maskNewCharacters,
  normalizeForm,
  whiteSpace,
} from "./characters.js";
import { buildPart, type PartKinds, type Place, partKind, within } from "./part.js";
import { readPattern } from "./pattern.js";
import { readCharsmap } from "./precompiled.js";
import { matches, type TextStart } from "./split.js";
import { toByteCharacters } from "./byte-text.js";

/** Changes a text before it is cut; says in `start` if the text no longer begins where it did. */
export type Normalizer = (text: string, start: TextStart) => string;

const none = z.strictObject({});
const form = (name: "NFC" | "NFD" | "NFKC" | "NFKD") =>
  partKind(none, (): Normalizer => (text) => normalizeForm(text, name));

const bert = z.strictObject({
  clean_text: z.boolean(),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullable().default(null),
  lowercase: z.boolean(),
});

const kinds: PartKinds<Normalizer> = {
  Sequence: partKind(
    z.strictObject({ normalizers: z.array(z.unknown()) }),
    ({ normalizers }, place) =>
      inOrder(
        normalizers.map((json, i) => buildPart(kinds, json, within(place, `normalizers[${i}]`))),
      ),
  ),
  NFC: form("NFC"),
  NFD: form("NFD"),
  NFKC: form("NFKC"),
  NFKD: form("NFKD"),
  BertNormalizer: partKind(bert, bertNormalizer),
  Strip: partKind(
    z.strictObject({ strip_left: z.boolean(), strip_right: z.boolean() }),
    ({ strip_left, strip_right }) =>
      (text, start) => {
        const left = strip_left ? dropped(text, /^\p{White_Space}+/u, start) : text;
        return strip_right ? left.slice(0, left.length - trailingSpace(left)) : left;
      },
  ),
  StripAccents: partKind(none, () => (text, start) => dropped(text, combiningMarks(), start)),
  Lowercase: partKind(none, () => lowercase),
  Nmt: partKind(
    none,
    () => (text, start) => dropped(text, nmtDeleted, start).replace(nmtSpaces, " "),
  ),
  Precompiled: partKind(
    z.strictObject({ precompiled_charsmap: z.string() }),
    ({ precompiled_charsmap }, place) =>
      readCharsmap(precompiled_charsmap, within(place, "precompiled_charsmap")),
  ),
  Replace: partKind(
    z.strictObject({ pattern: z.unknown(), content: z.string() }),
    ({ pattern, content }, place) => {
      const found = readPattern(pattern, place);
      return (text, start) => replaceMatches(text, found, content, start);
    },
  ),
  Prepend: partKind(
    z.strictObject({ prepend: z.string() }),
    ({ prepend }) =>
      (text) =>
        text === "" ? text : prepend + text,
  ),
  ByteLevel: partKind(none, () => toByteCharacters),
};

/** The normalizer of a `tokenizer.json`, which may have none. */
export function readNormalizer(json: unknown, place: Place): Normalizer {
  return json == null ? (text) => text : buildPart(kinds, json, place);
}

function inOrder(steps: readonly Normalizer[]): Normalizer {
  return (text, start) => steps.reduce((at, step) => step(at, start), text);
}

/** Source: tokenizers, normalizers/bert.rs. */
function bertNormalizer(options: z.output<typeof bert>): Normalizer {
  const stripsAccents = options.strip_accents ?? options.lowercase;
  return (text, start) => {
    let out = text;
    if (options.clean_text) {
      out = dropped(out, bertControls(), start).replace(whiteSpace, " ");
    }
    if (options.handle_chinese_chars) out = out.replace(chinese, " $& ");
    if (stripsAccents) out = dropped(normalizeForm(out, "NFD"), bertMarks(), start);
    return options.lowercase ? lowercase(out) : out;
  };
}

// The ranges of the original, not those of Unicode's Han.
const chinese =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
const nmtDeleted = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/gu;
const nmtSpaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/gu;

/** One character at a time: a sigma at the end of a word is like any other. */
function lowercase(text: string): string {
  if (!text.includes("Σ")) return text.toLowerCase();
  return Array.from(text, (character) => character.toLowerCase()).join("");
}

/** The text without what matches. */
function dropped(text: string, pattern: RegExp, start: TextStart): string {
  const out = text.replace(pattern, "");
  if (out.length < text.length && text.search(pattern) === 0) start.isKept = false;
  return out;
}

function trailingSpace(text: string): number {
  return text.length - text.replace(/\p{White_Space}+$/u, "").length;
}

/** A text with every match of a pattern replaced by one content, as it is. */
export function replaceMatches(
  text: string,
  pattern: RegExp,
  content: string,
  start?: TextStart,
): string {
  // In nothing the original finds nothing, not even `^`.
  if (text === "") return text;
  let out = "";
  let end = 0;
  for (const match of matches(maskNewCharacters(text), pattern)) {
    if (match.start === 0 && start !== undefined && takesStart(text, match.end, content)) {
      start.isKept = false;
    }
    out += text.slice(end, match.start) + content;
    end = match.end;
  }
  return out + text.slice(end);
}

/** What replaces several characters stands where the last of them did. */
function takesStart(text: string, end: number, content: string): boolean {
  return end > (content === "" ? 0 : (text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
}
