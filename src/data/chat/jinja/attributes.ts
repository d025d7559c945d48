import { bind } from "./arguments.js";
import { notSupported, TemplateError } from "./template-error.js";
import { repr } from "./text/print.js";
import { textMethod, unsupportedTextMethods } from "./text/text-methods.js";
import {
  type Arguments,
  Callable,
  Dict,
  isEqual,
  isList,
  iterate,
  Namespace,
  numberOf,
  orElse,
  Sequence,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.js";

type Method<T> = (self: T, args: Arguments) => Value;

const pairs = (dict: Dict) => dict.entries.map((entry) => new Tuple(entry));

const dictMethods: Readonly<Record<string, Method<Dict>>> = {
  get: (dict, args) => {
    const [key, fallback = null] = bind("get", ["key", "default"], args);
    if (key === undefined) throw new TemplateError("get expected at least 1 argument, got 0");
    return orElse(dict.get(key), () => fallback);
  },
  keys: (dict) => new Sequence("dict_keys", dict.keys),
  values: (dict) =>
    new Sequence(
      "dict_values",
      dict.entries.map(([, value]) => value),
    ),
  items: (dict) => new Sequence("dict_items", pairs(dict)),
  copy: (dict) => dict,
};

const listMethods: Readonly<Record<string, Method<readonly Value[]>>> = {
  index: (items, args) => {
    const [wanted = null] = bind("index", ["value"], args);
    const at = items.findIndex((item) => isEqual(item, wanted));
    if (at < 0) throw new TemplateError(`${repr(wanted)} is not in list`);
    return BigInt(at);
  },
  count: (items, args) => {
    const [wanted = null] = bind("count", ["value"], args);
    return BigInt(items.filter((item) => isEqual(item, wanted)).length);
  },
  copy: (items) => items,
};

/** Methods that change a value: the sandbox refuses them by these names. */
const unsafe: Readonly<Record<string, readonly string[]>> = {
  dict: ["clear", "pop", "popitem", "setdefault", "update"],
  list: ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"],
};

const unsupported: Readonly<Record<string, readonly string[]>> = {
  str: unsupportedTextMethods,
  dict: ["fromkeys"],
  int: ["real", "imag", "numerator", "denominator", "bit_length", "bit_count", "conjugate"],
  float: ["real", "imag", "is_integer", "as_integer_ratio", "hex", "conjugate", "fromhex"],
};

/** `value.name`: Python's attribute, or else the entry of that name. */
export function attribute(value: Value, name: string): Value {
  refuseUndefined(value);
  const own = ownAttribute(value, name);
  return own === undefined ? orElse(entry(value, name), () => missing(value, name)) : own;
}

/** `value[key]`: the entry, or else Python's attribute of that name. */
export function item(value: Value, key: Value): Value {
  refuseUndefined(value);
  const found = entry(value, key);
  if (found !== undefined) return found;
  const own = typeof key === "string" ? ownAttribute(value, key) : undefined;
  return orElse(own, () => missing(value, key));
}

/** Python's attribute alone, as the filter `attr` reads it. */
export function pythonAttribute(value: Value, name: string): Value {
  refuseUndefined(value);
  return orElse(ownAttribute(value, name), () => missing(value, name));
}

function refuseUndefined(value: Value): void {
  if (value instanceof Undefined) throw new TemplateError(value.reason);
}

function missing(value: Value, key: Value): Undefined {
  const owner = value === null ? "None" : `${typeName(value)} object`;
  return new Undefined(
    typeof key === "string"
      ? `'${owner}' has no attribute '${key}'`
      : `${owner} has no element ${repr(key)}`,
  );
}

function entry(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) return value.get(key);
  const index = numberOf(key);
  const isIndexed = typeof value === "string" || isList(value) || value instanceof Tuple;
  const isRange = value instanceof Sequence && value.type === "range";
  if (typeof index !== "bigint" || !(isIndexed || isRange)) return undefined;
  return iterate(value).at(Number(index));
}

function ownAttribute(value: Value, name: string): Value | undefined {
  // The sandbox gives nothing for Python's internals, and an error when they are used.
  if (name.startsWith("__")) return new Undefined(`access to attribute '${name}' is unsafe`);
  if (value instanceof Namespace) return value.values.get(name);
  if (value instanceof Callable) return value.attributes.get(name)?.();
  const type = typeName(value);
  if (unsafe[type]?.includes(name)) {
    return new Undefined(`access to attribute '${name}' of '${type}' object is unsafe.`);
  }
  if (unsupported[type]?.includes(name)) throw notSupported(`"${name}" of a Python ${type}`);
  if (typeof value === "string") return method(value, name, textMethod(name));
  if (value instanceof Dict) return method(value, name, own(dictMethods, name));
  const items = isList(value) ? value : value instanceof Tuple ? value.items : undefined;
  if (items === undefined || (name === "copy" && !isList(value))) return undefined;
  return method(items, name, own(listMethods, name));
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function method<T>(self: T, name: string, run: Method<T> | undefined): Callable | undefined {
  return run && new Callable(name, (args) => run(self, args));
}
