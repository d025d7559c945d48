import { PupilError } from "../errors/index.js";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Override {
  readonly path: string[];
  /** Undefined to take a field out. */
  readonly value: Json | undefined;
}

/**
 * Applies `trainer.steps=200` or `trainer.loss.0.temperature=2` to a config before it is validated,
 * so that an override is checked exactly like the file. Values are JSON, or else plain strings; an empty
 * one (`student.architecture=`) takes the field out. The entries of a list are numbered from 0; the number
 * after the last adds one.
 *
 * @throws PupilError for a path that leads nowhere, and for overrides of which one would undo another
 */
export function applyOverrides(config: unknown, overrides: readonly string[]): unknown {
  const root = structuredClone(config) as Json;
  const earlier: string[] = [];
  for (const override of overrides) {
    const { path, value } = parseOverride(override);
    const here = path.join(".");
    const undone = earlier.find((other) => other === here || other.startsWith(`${here}.`));
    if (undone !== undefined) {
      throw new PupilError(`${undone} was set before, and this would undo it.`, {
        field: override,
        remedy: undone === here ? "Give it once." : `Give ${here} first.`,
      });
    }
    earlier.push(here);
    setAt(root, path, value, override);
  }
  return root;
}

/** Splits `key=value`; throws a PupilError for anything else. */
export function parseOverride(text: string): Override {
  const equals = text.indexOf("=");
  const path = text.slice(0, equals).split(".");
  if (equals <= 0 || path.some((key) => key.trim() === "")) {
    throw new PupilError(`"${text}" is not an override.`, {
      value: text,
      remedy: 'Write key=value with dots between keys, for example "trainer.steps=200".',
    });
  }
  for (const key of path) {
    if (!["__proto__", "constructor", "prototype"].includes(key)) continue;
    throw new PupilError(`"${key}" is not a field name.`, { field: text });
  }
  return { path, value: parseValue(text.slice(equals + 1)) };
}

function parseValue(text: string): Json | undefined {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function setAt(
  root: Json,
  path: readonly string[],
  value: Json | undefined,
  override: string,
): void {
  let parent = root;
  for (const [depth, key] of path.entries()) {
    const container = containerAt(parent, path.slice(0, depth), key, override);
    const existing = Object.hasOwn(container, key) ? container[key] : undefined;
    if (value === undefined && (existing ?? null) === null) {
      throw new PupilError(`${path.slice(0, depth + 1).join(".")} is not in the config.`, {
        field: override,
        remedy: "There is nothing to take out: leave this away.",
      });
    }
    if (depth < path.length - 1) {
      parent = existing ?? (path[depth + 1] === "0" ? [] : {});
      container[key] = parent;
    } else if (value !== undefined) container[key] = value;
    else if (Array.isArray(container)) container.splice(Number(key), 1);
    else delete container[key];
  }
}

/** What the key is a key of. */
function containerAt(
  parent: Json,
  path: readonly string[],
  key: string,
  override: string,
): Record<string, Json> {
  const here = path.join(".") || "the config";
  const fail = (problem: string, remedy: string) =>
    new PupilError(`${here} ${problem}`, { field: override, remedy });
  if (parent === null || typeof parent !== "object") {
    throw fail(`is ${show(parent)} and not an object.`, `It has no field "${key}".`);
  }
  if (!Array.isArray(parent)) return parent;
  const { length } = parent;
  const isIndex = /^(0|[1-9]\d*)$/.test(key);
  if (!isIndex) {
    const which = length === 1 ? `${here}.0.${key}` : `${here}.<number>.${key}`;
    throw fail(
      `is a list: "${key}" is not one of its entries.`,
      `Say which entry, such as ${which}=…, from 0${length > 1 ? ` to ${length - 1}` : ""}.`,
    );
  }
  if (Number(key) > length) {
    const entries = length === 1 ? "1 entry" : `${length} entries`;
    throw fail(`has ${entries}, not ${key}.`, `The next one is ${here}.${length}.`);
  }
  return parent as unknown as Record<string, Json>;
}

function show(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
