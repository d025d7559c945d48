import { TemplateError, notSupported } from "./template-error.js";
import { floatText } from "../../readers/float-text.js";
import { repr, str } from "./print.js";
import {
  Dict,
  isList,
  numberOf,
  Sequence,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.js";

const placeholder =
  /%(?:\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\d*)(?:\.(?<precision>\d+))?(?<type>.|$)/gs;

/** `template % values`. */
export function formatPercent(template: string, values: Value): string {
  const given = values instanceof Tuple ? values.items : [values];
  let next = 0;
  const text = template.replace(placeholder, (...match) => {
    const groups = match.at(-1) as Record<string, string | undefined>;
    const { name, flags = "", width = "", precision, type = "" } = groups;
    if (type === "%") return "%";
    if (type === "") throw new TemplateError("incomplete format");
    const value = name === undefined ? given[next++] : named(values, name);
    if (value === undefined) throw new TemplateError("not enough arguments for format string");
    const digits = precision === undefined ? undefined : Number(precision);
    return padded(converted(type, value, digits), flags, Number(width), type);
  });
  // What can be subscripted may be left over: Python takes it for a mapping.
  const isMapping =
    values instanceof Dict || values instanceof Undefined || isList(values) || isRange(values);
  if (next < given.length && !isMapping) {
    throw new TemplateError("not all arguments converted during string formatting");
  }
  return text;
}

const isRange = (value: Value) => value instanceof Sequence && value.type === "range";

function named(values: Value, name: string): Value {
  if (!(values instanceof Dict)) throw new TemplateError("format requires a mapping");
  const value = values.get(name);
  if (value === undefined) throw new TemplateError(`'${name}'`);
  return value;
}

function converted(type: string, value: Value, precision: number | undefined): string {
  if (type === "s") return cut(str(value), precision);
  if (type === "r") return cut(repr(value), precision);
  if (value instanceof Undefined) throw new TemplateError(value.reason);
  const number = numberOf(value);
  if (!"diuxXof".includes(type) || (precision !== undefined && type !== "f")) {
    throw notSupported(`%${precision === undefined ? "" : `.${precision}`}${type}`);
  }
  if (number === undefined) {
    const wanted = type === "f" ? "must be real number" : `%${type} format: a number is required`;
    throw new TemplateError(`${wanted}, not ${typeName(value)}`);
  }
  if (type === "f") return fixed(Number(number), precision ?? 6);
  const whole = typeof number === "bigint" ? number : BigInt(Math.trunc(number));
  const text = whole.toString(type === "x" || type === "X" ? 16 : type === "o" ? 8 : 10);
  return type === "X" ? text.toUpperCase() : text;
}

/** Python counts characters, JavaScript the units of UTF-16. */
const cut = (text: string, length: number | undefined): string =>
  [...text].slice(0, length).join("");

function padded(text: string, flags: string, width: number, type: string): string {
  if (flags.includes("#")) throw notSupported("the flag # of %");
  const isNumber = !"sr".includes(type);
  const isNegative = isNumber && text.startsWith("-");
  const plus = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  const sign = isNegative ? "-" : isNumber ? plus : "";
  const body = isNegative ? text.slice(1) : text;
  const missing = Math.max(0, width - [...sign, ...body].length);
  if (flags.includes("-")) return sign + body + " ".repeat(missing);
  if (flags.includes("0") && isNumber) return sign + "0".repeat(missing) + body;
  return " ".repeat(missing) + sign + body;
}

/** A float with so many decimals; halves that are exact go to the even digit, as in C and Python. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return floatText(value);
  if (Math.abs(value) >= 1e21) {
    return `${BigInt(value)}${decimals > 0 ? `.${"0".repeat(decimals)}` : ""}`;
  }
  const text = value.toFixed(decimals);
  // Where a float is a half of its last decimal, the half is one digit: the rest are zeros.
  const [whole = "0", rest = ""] = Math.abs(value)
    .toFixed(Math.min(100, decimals + 40))
    .split(".");
  if (!/^50*$/.test(rest.slice(decimals))) return text;
  const down = decimals === 0 ? whole : `${whole}.${rest.slice(0, decimals)}`;
  return Number(down.at(-1)) % 2 === 0 ? `${value < 0 ? "-" : ""}${down}` : text;
}

/** `template.format(…)` with plain fields: `{}`, `{0}`, `{name}`. */
export function formatFields(
  template: string,
  positional: readonly Value[],
  named: ReadonlyMap<string, Value>,
): string {
  let next = 0;
  const fields = [...template.matchAll(/{{|{(\d*)}/g)].map(([, field]) => field);
  if (fields.includes("") && fields.some((field) => /^\d+$/.test(field ?? ""))) {
    throw new TemplateError("the format fields are numbered in part, {0}, and in part not, {}");
  }
  return template.replace(/{{|}}|{([^{}]*)}|[{}]/g, (all, field?: string) => {
    if (all === "{{" || all === "}}") return all[0] as string;
    if (field === undefined)
      throw new TemplateError(`Single '${all}' encountered in format string`);
    if (!/^\w*$/.test(field)) throw notSupported(`the format field {${field}}`);
    const value = /^\d*$/.test(field)
      ? positional[field === "" ? next++ : Number(field)]
      : named.get(field);
    if (value === undefined) throw new TemplateError(`the format field {${field}} has no value`);
    return str(value);
  });
}
