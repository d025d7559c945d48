import { floatText } from "../../../readers/float-text.js";
import { TemplateError, notSupported } from "../template-error.js";
import {
  compare,
  Dict,
  isList,
  Sequence,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "../values.js";

/** `str(value)`: what `{{ value }}` prints. */
export function str(value: Value): string {
  if (typeof value === "string") return value;
  return value instanceof Undefined ? "" : repr(value);
}

/** `repr(value)`. */
export function repr(value: Value): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return floatText(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "None";
  if (isList(value)) return `[${value.map(repr).join(", ")}]`;
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Tuple) {
    return `(${value.items.map(repr).join(", ")}${value.items.length === 1 ? "," : ""})`;
  }
  if (value instanceof Dict) {
    return `{${value.entries.map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(", ")}}`;
  }
  if (value instanceof Sequence && value.type !== "generator") {
    return value.printed ?? `${value.type}(${repr(value.items)})`;
  }
  // Python prints an address in memory.
  throw notSupported(`printing a ${typeName(value)}`);
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t'"]|(?! )[\p{C}\p{Z}]/gu, (character) => {
    if (character === "'" || character === '"')
      return character === quote ? `\\${quote}` : character;
    return escapes[character] ?? codeEscape(character.codePointAt(0) as number);
  });
  return quote + escaped + quote;
}

function codeEscape(code: number): string {
  const [letter, digits] = code <= 0xff ? ["x", 2] : code <= 0xffff ? ["u", 4] : ["U", 8];
  return `\\${letter}${code.toString(16).padStart(digits as number, "0")}`;
}

export interface JsonOptions {
  readonly ensureAscii: boolean;
  /** What a level is indented by; undefined: all in one line. */
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly sortKeys: boolean;
}

/** Python's `json.dumps`, which the `tojson` of chat templates is. */
export function jsonText(value: Value, options: JsonOptions, level = 1): string {
  const { indent, separators, ensureAscii, sortKeys } = options;
  const list = (open: string, items: readonly string[], close: string): string => {
    if (items.length === 0) return open + close;
    if (indent === undefined) return open + items.join(separators[0]) + close;
    const line = `\n${indent.repeat(level)}`;
    const end = `\n${indent.repeat(level - 1)}`;
    return open + line + items.join(separators[0] + line) + end + close;
  };
  const inside = (item: Value) => jsonText(item, options, level + 1);
  if (typeof value === "string") return jsonString(value, ensureAscii);
  if (typeof value === "number") return jsonNumber(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value === null) return "null";
  if (isList(value)) return list("[", value.map(inside), "]");
  if (value instanceof Tuple) return list("[", value.items.map(inside), "]");
  if (value instanceof Dict) {
    const entries = sortKeys ? value.entries.sort(([a], [b]) => compare(a, b)) : value.entries;
    const keyed = entries.map(
      ([key, item]) => jsonString(keyText(key), ensureAscii) + separators[1] + inside(item),
    );
    return list("{", keyed, "}");
  }
  throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
}

function keyText(key: Value): string {
  if (typeof key === "string") return key;
  if (typeof key === "number") return jsonNumber(key);
  if (key === null || typeof key === "boolean" || typeof key === "bigint") return String(key);
  throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function jsonNumber(value: number): string {
  if (Number.isFinite(value)) return floatText(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

function jsonString(text: string, ensureAscii: boolean): string {
  // JSON.stringify also escapes lone surrogates, which Python leaves as they are.
  const escaped = [...text].map((c) =>
    /^[\ud800-\udfff]$/.test(c) ? c : JSON.stringify(c).slice(1, -1),
  );
  const json = `"${escaped.join("")}"`;
  if (!ensureAscii) return json;
  return json.replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
