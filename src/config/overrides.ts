import { PupilError } from "../errors/index.js";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Applies `trainer.steps=200` or `trainer.loss.0.temperature=2` to a config before it is validated,
 * so that an override is checked exactly like the file. Values are JSON, or else plain strings.
 */
export function applyOverrides(config: unknown, overrides: readonly string[]): unknown {
  const root = structuredClone(config) as Json;
  for (const override of overrides) {
    const { path, value } = parseOverride(override);
    setAt(root, path, value, override);
  }
  return root;
}

/** Splits `key=value`; throws a PupilError for anything else. */
export function parseOverride(text: string): { path: string[]; value: Json } {
  const equals = text.indexOf("=");
  const path = text.slice(0, equals).split(".");
  if (equals <= 0 || path.some((key) => key === "")) {
    throw new PupilError(`"${text}" is not an override.`, {
      value: text,
      remedy: 'Write key=value with dots between keys, for example "trainer.steps=200".',
    });
  }
  return { path, value: parseValue(text.slice(equals + 1)) };
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function setAt(root: Json, path: readonly string[], value: Json, override: string): void {
  let parent = root;
  for (const [depth, key] of path.entries()) {
    if (parent === null || typeof parent !== "object") {
      throw new PupilError(`${path.slice(0, depth).join(".")} is not an object.`, {
        field: override,
        remedy: `It has no field "${key}".`,
      });
    }
    if (key === "__proto__" || key === "constructor" || key === "prototype") {
      throw new PupilError(`"${key}" is not a field name.`, { field: override });
    }
    const container = parent as { [key: string]: Json };
    if (depth === path.length - 1) container[key] = value;
    else parent = container[key] ??= {};
  }
}
