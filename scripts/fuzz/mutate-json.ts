import type { Random } from "../../src/tensors/index.js";

/** JSON that `JSON.stringify` would not write. */
const raw = [
  ..."0 1 -1 2 7 255 65536 0.5 -3.5 1e9 1e7 2147483647 2147483648 4294967295".split(" "),
  ..."9007199254740993 1e400 -1e999 1e-400 -0 null true false".split(" "),
  ...'[] {} [[]] [null] [-1] [0.5] [1e999] {"a":1} {"__proto__":1}'.split(" "),
  '""',
  '"a"',
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  '"constructor"',
  '"../../etc/passwd"',
  '"NaN"',
  '"default"',
  "[".repeat(20_000) + "]".repeat(20_000),
  '{"a":'.repeat(8_000) + "1" + "}".repeat(8_000),
  JSON.stringify("x".repeat(30_000)),
  `[${"1,".repeat(3_000)}1]`,
];

const keys = ["__proto__", "constructor", "toString", "", "length", "type", "0", "a.b", "\u0000"];

interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

/** Changes one value or key of a JSON text; text that is no JSON is left as it is. */
export function mutateJson(text: string, random: Random): string {
  try {
    return changed(text, random);
  } catch (error) {
    // An earlier change has made it too deep for JSON.stringify.
    if (error instanceof RangeError) return text;
    throw error;
  }
}

function changed(text: string, random: Random): string {
  const root = { value: parse(text) };
  if (root.value === undefined) return text;
  const places = placesOf(root);
  const place = random.pick(places);
  const other = random.pick(places);
  const marked = new Map<string, string>();
  const mark = (json: string) => {
    const name = `\u0001raw ${marked.size}\u0001`;
    marked.set(JSON.stringify(name), json);
    return name;
  };
  const { parent, key } = place as { parent: Record<string, unknown>; key: string };
  switch (random.integer(7)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (places.length > 1) delete parent[key];
      break;
    case 1: {
      const added = random.pick(keys);
      if (!Array.isArray(parent)) define(parent, added, parent[key]);
      else parent.push(parent[Number(key)]);
      break;
    }
    case 2:
      if (other.parent !== root) define(parent, key, copyOf(other.parent[other.key as never]));
      break;
    default:
      define(parent, key, mark(random.pick(raw)));
  }
  let mutated = JSON.stringify(root.value) ?? "";
  for (const [name, json] of marked) mutated = mutated.replace(name, () => json);
  return mutated;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** All values of a tree. */
function placesOf(root: Record<string, unknown>): Place[] {
  const places: Place[] = [];
  const open: (Record<string, unknown> | unknown[])[] = [root];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const key of Object.keys(parent)) {
      places.push({ parent, key });
      const value = (parent as Record<string, unknown>)[key];
      if (typeof value === "object" && value !== null) open.push(value as Record<string, unknown>);
    }
  }
  return places;
}

/** Sets a property, whatever it is called. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: !(Array.isArray(object) && key === "length"),
  });
}

function copyOf(value: unknown): unknown {
  return value === undefined ? null : (parse(JSON.stringify(value)) ?? null);
}
