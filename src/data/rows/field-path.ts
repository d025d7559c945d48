import { oneOf, PupilError } from "../../errors/index.js";
import { type DataRow, describeValue } from "../readers/reader.js";
import { isRecord, isWrittenNumber } from "../readers/written-number.js";

/** Whether a row has a field; dots lead into objects and lists: `turns.0.value`. */
export function hasField({ row }: DataRow, path: string): boolean {
  return find(row, path).missing === undefined;
}

/**
 * The value of a field.
 *
 * @param role What the field is for, as in `fields.<role>` of the config.
 * @throws PupilError with the nearest name where the row has no such field
 */
export function requireField({ row, where, hint }: DataRow, path: string, role: string): unknown {
  const { value, missing, at } = find(row, path);
  if (missing === undefined) return value;
  const names = typeof at === "object" && at !== null ? Object.keys(at) : [];
  const found = names.length === 0 ? noNames(at) : oneOf(missing, names);
  throw new PupilError(`has no field "${path}".`, {
    field: where,
    value: path,
    remedy: `${found} Set fields.${role} to the name of the field with the ${role}.${hint === undefined ? "" : ` ${hint}`}`,
  });
}

/** The text of a field; with `numbers`, a number is text too. */
export function textField(
  row: DataRow,
  path: string,
  role: string,
  options: { readonly numbers?: boolean } = {},
): string {
  const value = requireField(row, path, role);
  if (typeof value === "string") return value;
  if (options.numbers === true) {
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    if (isWrittenNumber(value)) return value.value;
  }
  throw new PupilError(`the field "${path}" is ${describeValue(value)}, not text.`, {
    field: row.where,
    value,
    remedy: `Write the ${role} as text, or set fields.${role} to another field.`,
  });
}

interface Found {
  readonly value?: unknown;
  /** The first name on the path that is not there, and what was looked at. */
  readonly missing?: string;
  readonly at?: unknown;
}

function find(row: DataRow["row"], path: string): Found {
  // A name with dots in it comes first: it can be meant in no other way.
  if (Object.hasOwn(row, path)) return { value: row[path] };
  let value: unknown = row;
  for (const name of path.split(".")) {
    const isThere = (isRecord(value) || Array.isArray(value)) && Object.hasOwn(value, name);
    if (!isThere) {
      return { missing: name, at: value };
    }
    value = (value as Record<string, unknown>)[name];
  }
  return { value };
}

function noNames(at: unknown): string {
  if (Array.isArray(at)) return "The list is empty.";
  return typeof at === "object" && at !== null
    ? "The object is empty."
    : `There it is ${describeValue(at)}.`;
}
