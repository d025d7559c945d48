import { bind } from "../arguments.js";
import { item } from "../attributes.js";
import { binary } from "../operators.js";
import { str } from "../text/print.js";
import { TemplateError } from "../template-error.js";
import {
  type Arguments,
  compare,
  Dict,
  hashOf,
  isTrue,
  iterate,
  orElse,
  Sequence,
  Tuple,
  Undefined,
  type Value,
} from "../values.js";
import type { Filter, Library } from "./library-types.js";

/** `a.b.0` of a value, as `map(attribute=…)` reads it. */
function reader(path: Value, fallback?: Value): (value: Value) => Value {
  const parts = str(path)
    .split(".")
    .map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
  return (value) => {
    const found = parts.reduce<Value>((inside, part) => item(inside, part), value);
    return found instanceof Undefined && fallback !== undefined ? fallback : found;
  };
}

/** What is compared: an attribute or the value, text in lower case unless case counts. */
function sortKey(attribute: Value | undefined, isCaseSensitive: boolean): (value: Value) => Value {
  const read = (attribute ?? null) === null ? (value: Value) => value : reader(attribute as Value);
  return (value) => {
    const key = read(value);
    return typeof key === "string" && !isCaseSensitive ? key.toLowerCase() : key;
  };
}

function sorted(
  items: readonly Value[],
  key: (value: Value) => Value,
  isReversed: boolean,
): Value[] {
  const keyed = items.map((value) => ({ value, key: key(value) }));
  // Stable both ways, as Python's is.
  keyed.sort((a, b) => (isReversed ? compare(b.key, a.key) : compare(a.key, b.key)));
  return keyed.map(({ value }) => value);
}

const extreme =
  (sign: 1 | -1): Filter =>
  (value, args) => {
    const names = ["case_sensitive", "attribute"];
    const [isCaseSensitive = false, attribute] = bind(sign > 0 ? "max" : "min", names, args);
    const key = sortKey(attribute, isTrue(isCaseSensitive));
    const items = iterate(value);
    if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
    return items.reduce((best, other) =>
      sign * compare(key(other), key(best), sign > 0 ? ">" : "<") > 0 ? other : best,
    );
  };

/** What `map` and `select` go through: of whatever is not true, nothing. */
const elements = (value: Value): readonly Value[] => (isTrue(value) ? iterate(value) : []);

/** `select`, `reject` and, with an attribute, `selectattr` and `rejectattr`. */
const chooser =
  (wanted: boolean, byAttribute: boolean): Filter =>
  (value, args, library) => {
    const [first, ...rest] = args.positional;
    if (byAttribute && first === undefined)
      throw new TemplateError("Missing parameter for attribute name");
    const read = byAttribute ? reader(first as Value) : (each: Value) => each;
    const [name, ...testArgs] = byAttribute ? rest : args.positional;
    const test =
      name === undefined ? isTrue : testWith(library, str(name), { ...args, positional: testArgs });
    const items = elements(value).filter((each) => test(read(each)) === wanted);
    return new Sequence("generator", items);
  };

function testWith(library: Library, name: string, args: Arguments): (value: Value) => boolean {
  const test = library.findTest(name);
  return (value) => test(value, args, library);
}

const map: Filter = (value, args, library) => {
  const attribute = args.named.get("attribute");
  const items = elements(value);
  if (args.positional.length === 0 && attribute !== undefined) {
    const unknown = [...args.named.keys()].find((name) => !["attribute", "default"].includes(name));
    if (unknown !== undefined) throw new TemplateError(`Unexpected keyword argument '${unknown}'`);
    return new Sequence("generator", items.map(reader(attribute, args.named.get("default"))));
  }
  const [name, ...positional] = args.positional;
  if (name === undefined) throw new TemplateError("map requires a filter argument");
  const filter = library.findFilter(str(name));
  return new Sequence(
    "generator",
    items.map((each) => filter(each, { ...args, positional }, library)),
  );
};

function first(items: readonly Value[], at: number): Value {
  return orElse(items.at(at), () => new Undefined("No first item, sequence was empty."));
}

/** Filters of lists. What Python makes a generator cannot be printed here: Python prints an address. */
export const listFilters: Readonly<Record<string, Filter>> = {
  dictsort: (value, args) => {
    const names = ["case_sensitive", "by", "reverse"];
    const [isCaseSensitive = false, by = "key", isReversed = false] = bind("dictsort", names, args);
    if (!(value instanceof Dict)) throw new TemplateError("dictsort() needs a mapping");
    if (by !== "key" && by !== "value") {
      throw new TemplateError(`You can only sort by either "key" or "value"`);
    }
    const pairs = value.entries.map((entry) => new Tuple(entry));
    const key = sortKey(by === "key" ? "0" : "1", isTrue(isCaseSensitive));
    return sorted(pairs, key, isTrue(isReversed));
  },
  first: (value) => first(iterate(value), 0),
  join: (value, args) => {
    const [by = "", attribute] = bind("join", ["d", "attribute"], args);
    const read = (attribute ?? null) === null ? (each: Value) => each : reader(attribute as Value);
    return iterate(value)
      .map((each) => str(read(each)))
      .join(str(by));
  },
  last: (value) => {
    const isGenerator = value instanceof Sequence && value.type === "generator";
    if (isGenerator) throw new TemplateError("'generator' object is not reversible");
    return first(iterate(value), -1);
  },
  list: (value) => [...iterate(value)],
  map,
  max: extreme(1),
  min: extreme(-1),
  reject: chooser(false, false),
  rejectattr: chooser(false, true),
  reverse: (value) => {
    const items = [...iterate(value)].reverse();
    return typeof value === "string" ? items.join("") : new Sequence("generator", items);
  },
  select: chooser(true, false),
  selectattr: chooser(true, true),
  sort: (value, args) => {
    const names = ["reverse", "case_sensitive", "attribute"];
    const [isReversed = false, isCaseSensitive = false, attribute] = bind("sort", names, args);
    const paths = typeof attribute === "string" ? attribute.split(",") : [attribute];
    const keys = paths.map((path) => sortKey(path, isTrue(isCaseSensitive)));
    const key = (each: Value) => new Tuple(keys.map((read) => read(each)));
    return sorted(iterate(value), key, isTrue(isReversed));
  },
  sum: (value, args) => {
    const [attribute, start = 0n] = bind("sum", ["attribute", "start"], args);
    const read = (attribute ?? null) === null ? (each: Value) => each : reader(attribute as Value);
    return iterate(value).reduce((total, each) => binary("+", total, read(each)), start);
  },
  unique: (value, args) => {
    const [isCaseSensitive = false, attribute] = bind(
      "unique",
      ["case_sensitive", "attribute"],
      args,
    );
    const key = sortKey(attribute, isTrue(isCaseSensitive));
    const seen = new Set<string>();
    const items = iterate(value).filter((each) => {
      const hash = hashOf(key(each));
      return !seen.has(hash) && seen.add(hash);
    });
    return new Sequence("generator", items);
  },
};
