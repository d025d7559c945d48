import type { DataFile } from "./data-file.js";
import { isWrittenNumber } from "./written-number.js";

/** One row of a file, before it is known what its fields mean. */
export interface DataRow {
  readonly row: Readonly<Record<string, unknown>>;
  /** Where it stands: `train.jsonl:12`; for Parquet, the row's number. */
  readonly where: string;
  /** What to try where a field that should be there is not. */
  readonly hint?: string;
}

export interface ReadOptions {
  /** For JSON: the field that holds the list of rows, where the file is an object. */
  readonly rowsField?: string | undefined;
  /** For CSV and TSV: names of the columns of a file without a header line. */
  readonly columns?: readonly string[] | undefined;
  /** For CSV and TSV: the character between fields. Default: by format and first line. */
  readonly delimiter?: string | undefined;
  /** What will be read of a row: a format with columns may leave out the others. */
  readonly only?: WantedFields | undefined;
}

/** Paths of fields, as in the config. */
export interface WantedFields {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** How one format is read; every format has a file beside this one. */
export interface Reader {
  /** Ends of file names, without the dot. */
  readonly extensions: readonly string[];
  /** Completes "Give a file with …". */
  readonly content: string;
  /** The rows in file order. Throws a PupilError naming file and line for what is no such row. */
  read(file: DataFile, options: ReadOptions): AsyncGenerator<DataRow>;
}

export function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** A value in a message: `null`, `a list`, `the number 7`. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (isWrittenNumber(value)) return `the number ${value.value}`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `the ${typeof value} ${String(value)}`;
}
