import {
  bertControlTable,
  bertMarksTable,
  combiningMarksTable,
  punctuationTable,
  unassignedTable,
  unnormalizedTable,
} from "./unicode-tables.js";

/** The inside of a character class, from a table of unicode-tables.ts. */
function characterSet(table: string): string {
  const numbers = table.split(" ").map((digits) => Number.parseInt(digits, 36));
  const escape = (point: number) => `\\u{${point.toString(16)}}`;
  let ranges = "";
  let end = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    const start = end + (numbers[i] as number);
    end = start + (numbers[i + 1] as number);
    // Surrogates are no characters to Rust, and cut some of its runs in two.
    ranges += end - start === 1 ? escape(start) : `${escape(start)}-${escape(end - 1)}`;
  }
  return ranges;
}

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
const oneOf = (table: string) => once(() => new RegExp(`[${characterSet(table)}]`, "gu"));

/** One character each, with the flags `g` and `u`. */
export const punctuation = oneOf(punctuationTable);
export const bertControls = oneOf(bertControlTable);
export const bertMarks = oneOf(bertMarksTable);
export const combiningMarks = oneOf(combiningMarksTable);
const unassigned = once(() => new RegExp(`[${characterSet(unassignedTable)}ʕ]`, "gu"));
const normalizable = once(
  () => new RegExp(`[^${characterSet(unassignedTable)}${characterSet(unnormalizedTable)}]+`, "gu"),
);

/** `char::is_whitespace` of Rust and `\s` of its regular expressions; JavaScript's `\s` is another set. */
export const whiteSpace = /\p{White_Space}/gu;
/** `char::is_numeric` of Rust. */
export const numeric = /\p{N}/gu;

const ascii = /^[\0-\x7f]*$/;

/**
 * The text as regular expressions should see it: characters that are newer than the Unicode version
 * of the original's, whatever this engine's is, become unassigned ones of the same length. (U+0295
 * was a lower-case letter until Unicode 17.)
 */
export function maskNewCharacters(text: string): string {
  if (ascii.test(text)) return text;
  return text.replace(unassigned(), (character) =>
    character === "ʕ" ? "ɒ" : character.length === 1 ? "\u0378" : "\u{e0080}",
  );
}

/**
 * NFC, NFD, NFKC or NFKD as the original's tables have it: characters that it does not know stay as
 * they are, and nothing moves or composes across them.
 */
export function normalizeForm(text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD"): string {
  if (ascii.test(text)) return text;
  return text.replace(normalizable(), (known) => known.normalize(form));
}
