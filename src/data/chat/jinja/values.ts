import { isWrittenNumber } from "../../readers/written-number.js";
import { TemplateError } from "./template-error.js";

/**
 * A value as Python has it: `int` is bigint, `float` is number, `None` is null, `list` is an array.
 * Values never change: the sandbox of chat templates forbids it.
 */
export type Value =
  | string
  | bigint
  | number
  | boolean
  | null
  | readonly Value[]
  | Undefined
  | Tuple
  | Dict
  | Sequence
  | Callable
  | Namespace;

/** What a name without a value stands for: it prints as nothing, and any other use is an error. */
export class Undefined {
  /** Says what is not there: "'tools' is undefined". */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export class Tuple {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

type SequenceType = "range" | "dict_keys" | "dict_values" | "dict_items" | "generator";

/** What Python loops over without its being a list: a range, the keys of a dict, a generator. */
export class Sequence {
  readonly type: SequenceType;
  readonly items: readonly Value[];
  /** How Python prints it, where not by its type and items. */
  readonly printed: string | undefined;

  constructor(type: SequenceType, items: readonly Value[], printed?: string) {
    this.type = type;
    this.items = items;
    this.printed = printed;
  }
}

/** Arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

export class Callable {
  readonly name: string;
  readonly call: (args: Arguments) => Value;
  /** What the template reads of it: `loop.index`. */
  readonly attributes: ReadonlyMap<string, () => Value>;

  constructor(
    name: string,
    call: (args: Arguments) => Value,
    attributes: ReadonlyMap<string, () => Value> = new Map(),
  ) {
    this.name = name;
    this.call = call;
    this.attributes = attributes;
  }
}

/** The one thing that a template can change: `namespace(x=1)`. */
export class Namespace {
  readonly values: Map<string, Value>;

  constructor(values: Map<string, Value>) {
    this.values = values;
  }
}

/** Keys that are equal in Python are one key: 1, 1.0 and True. */
export class Dict {
  readonly #entries = new Map<string, readonly [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]>) {
    for (const [key, value] of entries) {
      const hash = hashOf(key);
      // The first of equal keys stays, with the last value.
      this.#entries.set(hash, [this.#entries.get(hash)?.[0] ?? key, value]);
    }
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashOf(key))?.[1];
  }

  get entries(): (readonly [Value, Value])[] {
    return [...this.#entries.values()];
  }

  get keys(): Value[] {
    return this.entries.map(([key]) => key);
  }
}

/** Equal for keys that Python takes for the same. */
export function hashOf(value: Value): string {
  if (typeof value === "string") return `s${value}`;
  if (typeof value === "bigint" || typeof value === "boolean") return `n${BigInt(value)}`;
  if (typeof value === "number") return Number.isInteger(value) ? `n${BigInt(value)}` : `n${value}`;
  if (value === null) return "none";
  if (value instanceof Tuple) return `t${JSON.stringify(value.items.map(hashOf))}`;
  if (value instanceof Undefined) return "undefined";
  throw new TemplateError(`unhashable type: '${typeName(value)}'`);
}

/** The value, or another one where there is none; None (null) is a value. */
export function orElse(value: Value | undefined, other: () => Value): Value {
  return value === undefined ? other() : value;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** The type's name in Python's messages. */
export function typeName(value: Value): string {
  if (typeof value === "string") return "str";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  if (typeof value === "boolean") return "bool";
  if (value === null) return "NoneType";
  if (isList(value)) return "list";
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof Dict) return "dict";
  if (value instanceof Namespace) return "Namespace";
  return value instanceof Sequence ? value.type : "function";
}

/** `bool(value)`. */
export function isTrue(value: Value): boolean {
  if (typeof value === "bigint") return value !== 0n;
  if (typeof value === "number") return value !== 0;
  if (typeof value !== "object") return Boolean(value);
  if (value === null || value instanceof Undefined) return false;
  if (value instanceof Dict) return value.entries.length > 0;
  if (value instanceof Sequence) return value.type === "generator" || value.items.length > 0;
  return itemsOf(value)?.length !== 0;
}

/** The items of a list or tuple; undefined for all others. */
function itemsOf(value: Value): readonly Value[] | undefined {
  if (isList(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

/** `list(value)`. */
export function iterate(value: Value): readonly Value[] {
  if (typeof value === "string") return [...value];
  if (value instanceof Undefined) return [];
  if (value instanceof Dict) return value.keys;
  if (value instanceof Sequence) return value.items;
  const items = itemsOf(value);
  if (items !== undefined) return items;
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

/** `len(value)`, in characters for text. */
export function lengthOf(value: Value): number {
  const hasLength = !(value instanceof Sequence && value.type === "generator");
  if (hasLength && isIterable(value)) return iterate(value).length;
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
}

export function isIterable(value: Value): boolean {
  if (typeof value === "string" || isList(value)) return true;
  return [Tuple, Dict, Sequence, Undefined].some((type) => value instanceof type);
}

/** The value as a number, or undefined: in Python True is 1. */
export function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

/** `a == b`. */
export function isEqual(a: Value, b: Value): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  // A bigint and a number compare by their exact values.
  if (x !== undefined && y !== undefined) return x == y;
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Dict && b instanceof Dict) {
    const isIn = ([key, value]: readonly [Value, Value]) => {
      const other = b.get(key);
      return other !== undefined && isEqual(value, other);
    };
    return a.entries.length === b.entries.length && a.entries.every(isIn);
  }
  const [left, right] = [itemsOf(a), itemsOf(b)];
  if (left === undefined || right === undefined || isList(a) !== isList(b)) return a === b;
  return left.length === right.length && left.every((item, i) => isEqual(item, right[i] as Value));
}

/** A negative number where `a < b`, 0 where they are equal, a positive one where `a > b`. */
export function compare(a: Value, b: Value, sign = "<"): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : Number.NaN;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const [left, right] = [itemsOf(a), itemsOf(b)];
  if (left !== undefined && right !== undefined && isList(a) === isList(b)) {
    const at = left.findIndex((item, i) => i >= right.length || !isEqual(item, right[i] as Value));
    if (at < 0) return left.length - right.length;
    return at >= right.length ? 1 : compare(left[at] as Value, right[at] as Value, sign);
  }
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.reason);
  throw new TemplateError(
    `'${sign}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** By code points: JavaScript's own order goes by UTF-16 units. */
function compareText(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((character, i) => character !== right[i]);
  if (at < 0) return left.length - right.length;
  return ((left[at] as string).codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}

/** Plain JavaScript data as Python's `json` would read it; what is undefined is left out. */
export function fromData(data: unknown): Value {
  if (data === null || typeof data === "string" || typeof data === "boolean") return data;
  if (typeof data === "bigint") return data;
  if (typeof data === "number") return Number.isInteger(data) ? BigInt(data) : data;
  if (isWrittenNumber(data)) {
    return /^-?\d+$/.test(data.value) ? BigInt(data.value) : Number(data.value);
  }
  if (Array.isArray(data)) return data.map((item: unknown) => fromData(item ?? null));
  if (typeof data === "object") {
    const entries = Object.entries(data).filter(([, value]) => value !== undefined);
    return new Dict(entries.map(([key, value]) => [key, fromData(value)]));
  }
  throw new TemplateError(`a ${typeof data} is no data for a template`);
}
