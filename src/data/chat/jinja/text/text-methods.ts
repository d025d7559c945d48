import { bind, textArgument, wholeArgument } from "../arguments.js";
import { formatFields } from "./format.js";
import { TemplateError } from "../template-error.js";
import { type Arguments, iterate, Tuple, typeName, type Value } from "../values.js";

/** What Python's `str.isspace` holds for white space; JavaScript's `\s` differs in six characters. */
export const space =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const leading = new RegExp(`^[${space}]+`);
const trailing = new RegExp(`[${space}]+$`);
const spaces = new RegExp(`[${space}]+`);
const lineEnds = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029";
const endOfLine = new RegExp(`(?:\r\n|[${lineEnds}])$`);
const eachLine = new RegExp(`[^${lineEnds}]*(?:\r\n|[${lineEnds}])|[^${lineEnds}]+`, "g");

type Method = (text: string, args: (Value | undefined)[], name: string) => Value;

interface TextMethod {
  readonly params: readonly string[];
  readonly run: Method;
}

const method = (params: string, run: Method): TextMethod => ({
  params: params === "" ? [] : params.split(" "),
  run,
});

/** `str.strip(characters)`; without characters, white space. */
export function strip(
  text: string,
  characters: string | null,
  side: "both" | "left" | "right",
): string {
  if (characters === null) {
    const left = side === "right" ? text : text.replace(leading, "");
    return side === "left" ? left : left.replace(trailing, "");
  }
  const units = [...text];
  const isKept = (character: string) => ![...characters].includes(character);
  const first = side === "right" ? 0 : units.findIndex(isKept);
  if (first < 0) return "";
  const last = side === "left" ? units.length - 1 : units.findLastIndex(isKept);
  return units.slice(first, last + 1).join("");
}

const stripper = (side: "both" | "left" | "right") =>
  method("chars", (text, [chars = null], name) =>
    strip(text, chars === null ? null : textArgument(chars, name), side),
  );

/** `str.splitlines(keepends)`. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines = text.match(eachLine) ?? [];
  return keepEnds ? lines : lines.map((line) => line.replace(endOfLine, ""));
}

function split(text: string, separator: Value, most: number): string[] {
  if (separator === null) return splitSpaces(text, most);
  const by = textArgument(separator, "split");
  if (by === "") throw new TemplateError("empty separator");
  const parts = text.split(by);
  if (most < 0 || parts.length <= most + 1) return parts;
  return [...parts.slice(0, most), parts.slice(most).join(by)];
}

function splitSpaces(text: string, most: number): string[] {
  const parts: string[] = [];
  let rest = strip(text, null, "left");
  while (rest !== "" && (most < 0 || parts.length < most)) {
    const found = spaces.exec(rest);
    if (found === null) break;
    parts.push(rest.slice(0, found.index));
    rest = rest.slice(found.index + found[0].length);
  }
  return rest === "" ? parts : [...parts, rest];
}

function splitFromRight(text: string, separator: Value, most: number): string[] {
  const turned = (value: string) => [...value].reverse().join("");
  const by = separator === null ? null : turned(textArgument(separator, "rsplit"));
  return split(turned(text), by, most).map(turned).reverse();
}

function partition(text: string, separator: Value | undefined, fromRight: boolean): Tuple {
  const by = textArgument(separator, "partition");
  if (by === "") throw new TemplateError("empty separator");
  const at = fromRight ? text.lastIndexOf(by) : text.indexOf(by);
  if (at < 0) return new Tuple(fromRight ? ["", "", text] : [text, "", ""]);
  return new Tuple([text.slice(0, at), by, text.slice(at + by.length)]);
}

/** `text[start:end]` of the methods that look at a part of a text. */
function within(
  text: string,
  start: Value | undefined,
  end: Value | undefined,
  name: string,
): string {
  if ((start ?? null) === null && (end ?? null) === null) return text;
  const bound = (value: Value | undefined) =>
    (value ?? null) === null ? undefined : wholeArgument(value, name);
  return [...text].slice(bound(start), bound(end)).join("");
}

const affix = (name: "startsWith" | "endsWith") =>
  method("prefix start end", (text, [wanted, start, end], callee) => {
    const options = wanted instanceof Tuple ? wanted.items : [wanted];
    const part = within(text, start, end, callee);
    return options.some((option) => part[name](textArgument(option, callee)));
  });

const finder = (fromRight: boolean, isRequired: boolean) =>
  method("sub", (text, [sub], name) => {
    const wanted = textArgument(sub, name);
    const at = fromRight ? text.lastIndexOf(wanted) : text.indexOf(wanted);
    if (at < 0 && isRequired) throw new TemplateError("substring not found");
    return at < 0 ? -1n : BigInt([...text.slice(0, at)].length);
  });

/** Text with its first character in title case, as Python's `capitalize`. */
export function capitalize(text: string): string {
  const [first = "", ...rest] = [...text];
  return titled(first) + rest.join("").toLowerCase();
}

const titleDigraphs = [..."ǅǈǋǲ"];

/** Unicode's title case, which JavaScript lacks: it differs from upper case in the cases named here. */
function titled(character: string): string {
  const digraph = titleDigraphs.find((each) => each.toLowerCase() === character.toLowerCase());
  if (digraph !== undefined) return digraph;
  // Georgian letters have no title case.
  if (/^[\u10d0-\u10ff]$/.test(character)) return character;
  const [base = "", ...marks] = [...character.normalize("NFD")];
  // Greek with an iota below keeps it there.
  if (marks.at(-1) === "\u0345") return (base.toUpperCase() + marks.join("")).normalize("NFC");
  const [first = "", ...rest] = [...character.toUpperCase()];
  return first + rest.join("").toLowerCase();
}

function title(text: string): string {
  return text.replace(/\p{Cased}+/gu, capitalize);
}

/** Unicode's full case folding, which JavaScript lacks: it differs from the detour over upper case in these alone. */
function casefold(text: string): string {
  const folded = (character: string) => {
    if (character === "\u0131") return character;
    // Cherokee is folded to its older letters, which are the upper case.
    if (/[\u13a0-\u13fd\uab70-\uabbf]/.test(character)) return character.toUpperCase();
    return character.toLowerCase().toUpperCase().toLowerCase();
  };
  // One at a time: what a sigma becomes must not depend on where it stands.
  return [...text].map(folded).join("");
}

/** `text.replace(old, new, count)`; a negative count is all. */
export function replaceText(text: string, from: string, to: string, count: number): string {
  const most = count < 0 ? Number.POSITIVE_INFINITY : count;
  if (from === "") return insertBetween(text, to, most);
  const parts = text.split(from);
  if (parts.length <= most + 1) return parts.join(to);
  return [...parts.slice(0, most), parts.slice(most).join(from)].join(to);
}

/** An empty text is found before every character and at the end. */
function insertBetween(text: string, between: string, count: number): string {
  const units = [...text];
  const parts = units.map((character, i) => (i < count ? between : "") + character);
  return parts.join("") + (units.length < count ? between : "");
}

const is = (pattern: RegExp) => method("", (text) => pattern.test(text));
const padding = (name: "padStart" | "padEnd") =>
  method("width fillchar", (text, [width, fill = " "], callee) => {
    const missing = wholeArgument(width, callee) - [...text].length;
    return missing <= 0 ? text : text[name](text.length + missing, textArgument(fill, callee));
  });

/** `str.center`, with the odd character where Python puts it. */
export function center(text: string, width: number, fill = " "): string {
  const missing = Math.max(0, width - [...text].length);
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

const isLower = (text: string) => /\p{Cased}/u.test(text) && !/\p{Lu}|\p{Lt}/u.test(text);
const isUpper = (text: string) => /\p{Cased}/u.test(text) && !/\p{Ll}|\p{Lt}/u.test(text);

/** Python's methods of text, but those that are rare in templates, which are refused by name. */
const methods: Readonly<Record<string, TextMethod>> = {
  strip: stripper("both"),
  lstrip: stripper("left"),
  rstrip: stripper("right"),
  split: method("sep maxsplit", (text, [sep = null, most], name) =>
    split(text, sep, wholeArgument(most, name, -1)),
  ),
  rsplit: method("sep maxsplit", (text, [sep = null, most], name) =>
    splitFromRight(text, sep, wholeArgument(most, name, -1)),
  ),
  splitlines: method("keepends", (text, [keepEnds], name) =>
    splitLines(text, wholeArgument(keepEnds, name, 0) !== 0),
  ),
  partition: method("sep", (text, [sep]) => partition(text, sep, false)),
  rpartition: method("sep", (text, [sep]) => partition(text, sep, true)),
  startswith: affix("startsWith"),
  endswith: affix("endsWith"),
  find: finder(false, false),
  rfind: finder(true, false),
  index: finder(false, true),
  rindex: finder(true, true),
  count: method("sub", (text, [sub], name) => {
    const wanted = textArgument(sub, name);
    return BigInt(wanted === "" ? [...text].length + 1 : text.split(wanted).length - 1);
  }),
  replace: method("old new count", (text, [from, to, count], name) =>
    replaceText(
      text,
      textArgument(from, name),
      textArgument(to, name),
      wholeArgument(count, name, -1),
    ),
  ),
  removeprefix: method("prefix", (text, [prefix], name) => {
    const wanted = textArgument(prefix, name);
    return text.startsWith(wanted) ? text.slice(wanted.length) : text;
  }),
  removesuffix: method("suffix", (text, [suffix], name) => {
    const wanted = textArgument(suffix, name);
    return wanted !== "" && text.endsWith(wanted) ? text.slice(0, -wanted.length) : text;
  }),
  join: method("iterable", (text, [iterable = null]) => {
    const items = iterate(iterable);
    const at = items.findIndex((item) => typeof item !== "string");
    if (at < 0) return items.join(text);
    const found = typeName(items[at] as Value);
    throw new TemplateError(`sequence item ${at}: expected str instance, ${found} found`);
  }),
  lower: method("", (text) => text.toLowerCase()),
  casefold: method("", casefold),
  upper: method("", (text) => text.toUpperCase()),
  title: method("", title),
  capitalize: method("", capitalize),
  swapcase: method("", (text) =>
    [...text].map((c) => (isUpper(c) ? c.toLowerCase() : c.toUpperCase())).join(""),
  ),
  islower: method("", isLower),
  isupper: method("", isUpper),
  isspace: is(new RegExp(`^[${space}]+$`)),
  isalpha: is(/^\p{L}+$/u),
  isdigit: is(/^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]+$/u),
  isdecimal: is(/^\p{Nd}+$/u),
  isalnum: is(/^[\p{L}\p{N}]+$/u),
  ljust: padding("padEnd"),
  rjust: padding("padStart"),
  center: method("width fillchar", (text, [width, fill = " "], name) =>
    center(text, wholeArgument(width, name), textArgument(fill, name)),
  ),
  zfill: method("width", (text, [width], name) => {
    const [, sign = "", digits = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
    return sign + digits.padStart(wholeArgument(width, name) - sign.length, "0");
  }),
};

/** Names that Python's text has and this engine does not. */
const others = ["encode", "expandtabs", "format_map", "isascii", "isidentifier"];
const rare = ["isnumeric", "isprintable", "istitle", "maketrans", "translate"];
export const unsupportedTextMethods: readonly string[] = [...others, ...rare];

/** A method of a text, or undefined where Python's text has none of that name. */
export function textMethod(name: string): ((text: string, args: Arguments) => Value) | undefined {
  if (name === "format") return (text, args) => formatFields(text, args.positional, args.named);
  if (!Object.hasOwn(methods, name)) return undefined;
  const { params, run } = methods[name] as TextMethod;
  return (text, args) => run(text, bind(name, params, args), name);
}
