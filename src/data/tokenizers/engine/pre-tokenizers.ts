import { z } from "zod";
import { toByteCharacters } from "./byte-text.js";
import { maskNewCharacters, numeric, punctuation, whiteSpace } from "./characters.js";
import { buildPart, type PartKinds, type Place, partKind, unfaithful, within } from "./part.js";
import { readPattern } from "./pattern.js";
import { type SplitBehavior, splitBehaviors, splitText, type TextStart } from "./split.js";
import { isObject, type JsonObject } from "../vocabulary.js";

/** Cuts texts into the pieces that a model sees one at a time. */
export interface PreTokenizer {
  /** `start` says whether the first text begins where the whole text did. */
  readonly split: (text: string, start: TextStart, isFirst: boolean) => readonly string[];
  /** What becomes of each piece afterwards. */
  readonly map?: (piece: string) => string;
}

const none = z.strictObject({});

/** GPT-2's words. Source: gpt-2 encoder.py; it is also what `ByteLevel` uses of itself. */
const gpt2Words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
/** `\w+|[^\w\s]+` over Unicode. */
const words =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/** Cuts at a pattern, which sees no characters newer than the original knows. */
function cutting(pattern: RegExp, behavior: SplitBehavior, isInverted = false): PreTokenizer {
  const cut = { pattern, behavior, isInverted, see: maskNewCharacters };
  return { split: (text, start) => splitText(text, cut, start) };
}

/** Cuts at single characters. */
function atCharacters(pattern: RegExp, behavior: SplitBehavior): PreTokenizer {
  return { split: (text, start) => splitText(text, { pattern, behavior }, start) };
}

const behaviors = z.enum(splitBehaviors);
const metaspace = z.strictObject({
  replacement: z.string().refine((text) => Array.from(text).length === 1),
  prepend_scheme: z.enum(["always", "first", "never"]).default("always"),
  split: z.boolean().nullable().default(true),
  add_prefix_space: z.boolean().nullish(),
  str_rep: z.string().nullish(),
});

const kinds: PartKinds<PreTokenizer> = {
  Sequence: partKind(
    z.strictObject({ pretokenizers: z.array(z.unknown()) }),
    ({ pretokenizers }, place) => {
      refuseFirstAfterBytes(pretokenizers, place);
      return inOrder(
        pretokenizers.map((json, i) =>
          buildPart(kinds, json, within(place, `pretokenizers[${i}]`)),
        ),
      );
    },
  ),
  ByteLevel: partKind(
    z.strictObject({
      add_prefix_space: z.boolean(),
      trim_offsets: z.boolean().optional(),
      use_regex: z.boolean().default(true),
    }),
    ({ add_prefix_space, use_regex }) => {
      const cut = cutting(gpt2Words, "Isolated");
      return {
        split: (text, start, isFirst) => {
          const spaced = add_prefix_space && !text.startsWith(" ") ? ` ${text}` : text;
          return use_regex ? cut.split(spaced, start, isFirst) : [spaced];
        },
        map: toByteCharacters,
      };
    },
  ),
  Whitespace: partKind(none, () => cutting(words, "Removed", true)),
  WhitespaceSplit: partKind(none, () => atCharacters(whiteSpace, "Removed")),
  BertPreTokenizer: partKind(none, () =>
    inOrder([atCharacters(whiteSpace, "Removed"), atCharacters(punctuation(), "Isolated")]),
  ),
  Punctuation: partKind(
    z.strictObject({ behavior: behaviors.default("Isolated") }),
    ({ behavior }) => atCharacters(punctuation(), behavior),
  ),
  Digits: partKind(z.strictObject({ individual_digits: z.boolean() }), ({ individual_digits }) =>
    atCharacters(numeric, individual_digits ? "Isolated" : "Contiguous"),
  ),
  CharDelimiterSplit: partKind(z.strictObject({ delimiter: z.string() }), ({ delimiter }, place) =>
    atCharacters(readPattern({ String: delimiter }, place), "Removed"),
  ),
  Split: partKind(
    z.strictObject({ pattern: z.unknown(), behavior: behaviors, invert: z.boolean() }),
    ({ pattern, behavior, invert }, place) =>
      cutting(readPattern(pattern, place), behavior, invert),
  ),
  FixedLength: partKind(z.strictObject({ length: z.int().min(1).default(5) }), ({ length }) =>
    atCharacters(new RegExp(`[^]{1,${length}}`, "gu"), "Isolated"),
  ),
  Metaspace: partKind(
    metaspace,
    ({ replacement, prepend_scheme, split, add_prefix_space }, place) => {
      if (add_prefix_space === false && prepend_scheme !== "never") {
        throw unfaithful(within(place, "add_prefix_space"), false);
      }
      const pattern = readPattern({ String: replacement }, place);
      return {
        split: (text, start, isFirst) => {
          const replaced = text.replaceAll(" ", replacement);
          const prepends =
            !replaced.startsWith(replacement) &&
            (prepend_scheme === "always" ||
              (prepend_scheme === "first" && isFirst && start.isKept));
          const whole = prepends ? replacement + replaced : replaced;
          return split === false
            ? [whole]
            : splitText(whole, { pattern, behavior: "MergedWithNext" });
        },
      };
    },
  ),
};

/** The pre-tokenizer of a `tokenizer.json`, which may have none. */
export function readPreTokenizer(json: unknown, place: Place): PreTokenizer {
  return json == null ? { split: (text) => [text] } : buildPart(kinds, json, place);
}

/** Pieces within the text's first character are all first ones to the original, which bytes make likely. */
function refuseFirstAfterBytes(parts: readonly unknown[], place: Place): void {
  const types = parts.map((part) => (isObject(part) ? part.type : undefined));
  const bytes = types.indexOf("ByteLevel");
  for (const [i, part] of parts.entries()) {
    if (bytes < 0 || i < bytes || types[i] !== "Metaspace") continue;
    const { prepend_scheme } = part as JsonObject;
    if (prepend_scheme !== "first") continue;
    throw unfaithful(within(place, `pretokenizers[${i}].prepend_scheme`), prepend_scheme);
  }
}

function inOrder(steps: readonly PreTokenizer[]): PreTokenizer {
  const last = steps.at(-1);
  const split: PreTokenizer["split"] = (text, start, isFirst) => {
    let pieces: readonly string[] = [text];
    for (const [number, step] of steps.entries()) {
      const begins = start.isKept;
      const next: string[] = [];
      for (const [i, piece] of pieces.entries()) {
        const own = { isKept: begins };
        for (const part of step.split(piece, own, isFirst && i === 0)) {
          const mapped = number < steps.length - 1 ? (step.map?.(part) ?? part) : part;
          if (mapped !== "") next.push(mapped);
        }
        if (i === 0) start.isKept = own.isKept;
      }
      pieces = next;
    }
    return pieces;
  };
  return last?.map === undefined ? { split } : { split, map: last.map };
}
