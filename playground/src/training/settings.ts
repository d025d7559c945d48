/**
 * What the page is set to: a run config as `pupil train` reads it, the text that it reads where it
 * reads one, how a second student differs, and a loss of the visitor's own. Everything in it is plain JSON,
 * so that it can be an address. Nothing here needs a page or a tensor.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Where the student's differences from the first one are, by the path of the field. */
export type Changes = Readonly<Record<string, Json>>;

export interface Settings {
  /** As a config file has it: defaults may be left out. The worker checks it. */
  readonly config: JsonObject;
  /** The text of `data.path`, where data is a text: a name of {@link samples}, or the text itself. */
  readonly text?: { readonly sample: string } | { readonly own: string };
  /** A second student, beside the first one. */
  readonly second?: Changes;
  /** JavaScript of a module that exports losses, which the config then names. */
  readonly ownLoss?: string;
}

/** Files that a config of the page can name. */
export const textPath = "text.txt";
export const ownLossPath = "own-loss.mjs";
export const studentPath = "student";
/** Where a teacher is that a visitor gave. */
export const givenTeacherPath = "teacher";
export const teacherPath = "examples/quickstart/teacher";

/** The value at a path such as `trainer.loss.0.type`; undefined where there is none. */
export function valueAt(root: Json | undefined, path: string): Json | undefined {
  return path.split(".").reduce<Json | undefined>((value, key) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as JsonObject)[key];
  }, root);
}

/**
 * A copy with another value at a path; undefined takes the field out. What is missing on the way is made: a list
 * before a number, else an object.
 */
export function withValue(root: Json | undefined, path: string, value: Json | undefined): Json {
  const [key = "", ...rest] = path.split(".");
  checkKey(key);
  const isList = Array.isArray(root) || (root === undefined && /^\d+$/.test(key));
  const next = rest.length === 0 ? value : withValue(valueAt(root, key), rest.join("."), value);
  if (isList) {
    const list = Array.isArray(root) ? [...(root as readonly Json[])] : [];
    const index = Number(key);
    if (!/^\d+$/.test(key) || index > list.length) throw new Error(`There is no entry ${key}.`);
    if (next === undefined) list.splice(index, 1);
    else list[index] = next;
    return list;
  }
  const { [key]: _removed, ...others } = isObject(root) ? root : {};
  if (next === undefined) return others;
  // A field stays where it was, so that a config reads as it did.
  return isObject(root) && Object.hasOwn(root, key)
    ? Object.fromEntries(Object.entries(root).map(([k, v]) => [k, k === key ? next : v]))
    : { ...others, [key]: next };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkKey(key: string): void {
  if (["__proto__", "constructor", "prototype"].includes(key)) {
    throw new Error(`"${key}" is not a field name.`);
  }
}

/** The settings of one student: the second one's with its changes. */
export function configOf({ config, second }: Settings, student: number): JsonObject {
  if (student === 0 || second === undefined) return config;
  return Object.entries(second).reduce<Json>(
    (changed, [path, value]) => withValue(changed, path, value),
    config,
  ) as JsonObject;
}
