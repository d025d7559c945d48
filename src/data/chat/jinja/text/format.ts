import { TemplateError, notSupported } from "../template-error.js";
import { exponential, fixed, general } from "./float-digits.js";
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
} from "../values.js";

const placeholder =
  /%(?:\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\d*)(?:\.(?<precision>\d+))?(?<type>.|$)/gs;

/** `template % values`. */
export function formatPercent(template: string, values: Value): string {
  const given = values instanceof Tuple ? values.items : [values];
  let next = 0;
  const text = template.replace(placeholder, (all, ...match) => {
    const groups = match.at(-1) as Record<string, string | undefined>;
    const { name, flags = "", width = "", precision, type = "" } = groups;
    if (type === "%" && all === "%%") return "%";
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
  const isFloat = Object.hasOwn(floats, type.toLowerCase());
  if (!isFloat && !Object.hasOwn(bases, type)) throw notSupported(`%${type}`);
  const number = numberOf(value);
  if (number === undefined) {
    const wanted = isFloat ? "must be real number" : `%${type} format: a number is required`;
    throw new TemplateError(`${wanted}, not ${typeName(value)}`);
  }
  const text = isFloat
    ? floats[type.toLowerCase() as keyof typeof floats](asFloat(number), precision ?? 6)
    : wholeText(type as keyof typeof bases, number, precision ?? 1);
  return /[EFGX]/.test(type) ? text.toUpperCase() : text;
}

const floats = { e: exponential, f: fixed, g: general };
const bases = { d: 10, i: 10, u: 10, o: 8, x: 16, X: 16 };

function asFloat(number: number | bigint): number {
  const float = Number(number);
  if (typeof number === "number" || Number.isFinite(float)) return float;
  throw new TemplateError("int too large to convert to float");
}

/** A whole number with so many digits at the least. */
function wholeText(type: keyof typeof bases, number: number | bigint, digits: number): string {
  if (typeof number === "number" && bases[type] !== 10) {
    throw new TemplateError(`%${type} format: an integer is required, not float`);
  }
  if (typeof number === "number" && !Number.isFinite(number)) {
    const what = Number.isNaN(number) ? "NaN" : "infinity";
    throw new TemplateError(`cannot convert float ${what} to integer`);
  }
  const whole = typeof number === "bigint" ? number : BigInt(Math.trunc(number));
  const text = whole.toString(bases[type]).replace("-", "").padStart(digits, "0");
  return whole < 0n ? `-${text}` : text;
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
