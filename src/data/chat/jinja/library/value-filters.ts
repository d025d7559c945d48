import { bind, textArgument, wholeArgument } from "../arguments.js";
import { pythonAttribute } from "../attributes.js";
import { fixed } from "../text/float-digits.js";
import { formatPercent } from "../text/format.js";
import { unary } from "../operators.js";
import { jsonText, str } from "../text/print.js";
import { TemplateError, notSupported } from "../template-error.js";
import { capitalize, center, replaceText, space, splitLines, strip } from "../text/text-methods.js";
import type { Filter } from "./library-types.js";
import {
  Dict,
  isTrue,
  lengthOf,
  numberOf,
  Sequence,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "../values.js";

/** What jinja2 makes a title of: the first character is in upper case, which is not that of `str.title`. */
const titleWord = new RegExp(`[^-({[<${space}]+`, "g");

/** A filter whose parameters have names; those that are not given are undefined. */
function filter(params: string, run: (value: Value, args: (Value | undefined)[]) => Value): Filter {
  const names = params === "" ? [] : params.split(" ");
  return (value, args) => run(value, bind("filter", names, args));
}

const textFilter = (change: (text: string) => Value) => filter("", (value) => change(str(value)));
const length = filter("", (value) => BigInt(lengthOf(value)));
const fallback = filter("default_value boolean", (value, [other = "", boolean = false]) =>
  value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? other : value,
);

/** Filters of single values. */
export const valueFilters: Readonly<Record<string, Filter>> = {
  abs: filter("", (value) => {
    const number = numberOf(value);
    if (number === undefined)
      throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
    return number < 0 || Object.is(number, -0) ? unary("-", number) : number;
  }),
  attr: filter("name", (value, [name = ""]) => pythonAttribute(value, str(name))),
  capitalize: textFilter(capitalize),
  center: filter("width", (value, [width]) =>
    center(str(value), wholeArgument(width, "center", 80)),
  ),
  count: length,
  d: fallback,
  default: fallback,
  float: filter("default", (value, [other = 0]) => parseFloatText(value) ?? other),
  format: (value, { positional, named }) => {
    if (named.size > 0 && positional.length > 0) {
      throw new TemplateError("can't handle positional and keyword arguments at the same time");
    }
    return formatPercent(str(value), named.size > 0 ? new Dict(named) : new Tuple(positional));
  },
  indent: filter("width first blank", (value, [width = 4n, first = false, blank = false]) => {
    const indent = typeof width === "string" ? width : " ".repeat(wholeArgument(width, "indent"));
    // Every line has an end here, so that text which ends in one keeps it.
    const lines = splitLines(`${textArgument(value, "indent")}\n`);
    const rest = lines
      .slice(1)
      .map((line) => (line === "" && !isTrue(blank) ? line : indent + line));
    return (isTrue(first) ? indent : "") + [lines[0], ...rest].join("\n");
  }),
  int: filter("default base", (value, [other = 0n, base]) => {
    if (value instanceof Undefined) throw new TemplateError(value.reason);
    const radix = wholeArgument(base, "int", 10);
    if (typeof value === "string") return integerOf(value, radix) ?? truncatedFloat(value) ?? other;
    const number = numberOf(value);
    return typeof number === "number" ? (truncatedFloat(number) ?? other) : (number ?? other);
  }),
  items: filter("", (value) => {
    if (value instanceof Undefined) return new Sequence("generator", []);
    if (value instanceof Dict) {
      return new Sequence(
        "generator",
        value.entries.map((entry) => new Tuple(entry)),
      );
    }
    throw new TemplateError("Can only get item pairs from a mapping.");
  }),
  length,
  lower: textFilter((text) => text.toLowerCase()),
  replace: filter("old new count", (value, [from, to, count]) => {
    const most = (count ?? null) === null ? -1 : wholeArgument(count, "replace");
    if (from === undefined || to === undefined) {
      throw new TemplateError("replace() needs what is replaced and by what");
    }
    return replaceText(str(value), str(from), str(to), most);
  }),
  round: filter("precision method", (value, [precision, method = "common"]) =>
    round(value, wholeArgument(precision, "round", 0), str(method)),
  ),
  string: filter("", str),
  title: textFilter((text) =>
    text.replace(titleWord, (word) => {
      const [first = "", ...rest] = [...word];
      return first.toUpperCase() + rest.join("").toLowerCase();
    }),
  ),
  tojson: filter(
    "ensure_ascii indent separators sort_keys",
    (value, [ensureAscii = false, indent = null, separators = null, sortKeys = false]) =>
      jsonText(value, {
        ensureAscii: isTrue(ensureAscii),
        indent: indentOf(indent),
        separators: separators === null ? [indent === null ? ", " : ",", ": "] : two(separators),
        sortKeys: isTrue(sortKeys),
      }),
  ),
  trim: filter("chars", (value, [chars = null]) =>
    strip(str(value), chars === null ? null : textArgument(chars, "trim"), "both"),
  ),
  upper: textFilter((text) => text.toUpperCase()),
  wordcount: textFilter((text) => BigInt(text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
};

function indentOf(indent: Value): string | undefined {
  if (indent === null) return undefined;
  return typeof indent === "string"
    ? indent
    : " ".repeat(Math.max(0, wholeArgument(indent, "tojson")));
}

function two(separators: Value): [string, string] {
  const items = separators instanceof Tuple ? separators.items : separators;
  if (Array.isArray(items) && items.length === 2) return [str(items[0]), str(items[1])];
  throw new TemplateError("tojson() needs two separators");
}

function integerOf(text: string, radix: number): bigint | undefined {
  const [, sign = "", digits = ""] = /^([+-]?)(\w+)$/.exec(strip(text, null, "both")) ?? [];
  const plain = digits.replace(/(?<=\w)_(?=\w)/g, "");
  const prefix = { 2: "0b", 8: "0o", 16: "0x" }[radix] ?? "";
  const isNamed = radix === 0 || (prefix !== "" && plain.toLowerCase().startsWith(prefix));
  const patterns: Readonly<Record<number, RegExp>> = {
    2: /^[01]+$/,
    8: /^[0-7]+$/,
    10: /^\d+$/,
    16: /^[\da-f]+$/i,
  };
  const pattern = isNamed
    ? /^(0[bB][01]+|0[oO][0-7]+|0[xX][\da-fA-F]+|[1-9]\d*|0+)$/
    : patterns[radix];
  if (pattern === undefined) throw notSupported(`int with base ${radix}`);
  if (!pattern.test(plain)) return undefined;
  const value = BigInt(isNamed ? plain.toLowerCase() : prefix + plain);
  return sign === "-" ? -value : value;
}

function parseFloatText(value: Value): number | undefined {
  if (value instanceof Undefined) throw new TemplateError(value.reason);
  if (typeof value !== "string") {
    const number = numberOf(value);
    return number === undefined ? undefined : Number(number);
  }
  const text = strip(value, null, "both")
    .replace(/(?<=\d)_(?=\d)/g, "")
    .toLowerCase();
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text)) return Number(text);
  const special = /^([+-]?)(inf(?:inity)?|nan)$/.exec(text);
  if (special === null) return undefined;
  const size = special[2] === "nan" ? Number.NaN : Number.POSITIVE_INFINITY;
  return special[1] === "-" ? -size : size;
}

function truncatedFloat(value: Value): bigint | undefined {
  const number = parseFloatText(value);
  return number === undefined || !Number.isFinite(number) ? undefined : BigInt(Math.trunc(number));
}

function round(value: Value, precision: number, method: string): Value {
  const number = numberOf(value);
  if (number === undefined) {
    throw new TemplateError(`type ${typeName(value)} doesn't define __round__ method`);
  }
  if (!["common", "ceil", "floor"].includes(method)) {
    throw new TemplateError("method must be common, ceil or floor");
  }
  if (precision < 0) throw notSupported("round to a negative precision");
  if (method === "common") {
    const isDone = typeof number === "bigint" || !Number.isFinite(number);
    return isDone ? number : Number(fixed(number, precision));
  }
  const scale = 10 ** precision;
  const scaled = Number(number) * scale;
  return (method === "ceil" ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
}
