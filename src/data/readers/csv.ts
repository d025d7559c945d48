import { type CsvError, parse } from "csv-parse/browser/esm";
import { PupilError, showValue } from "../../errors/index.js";
import type { DataFile } from "./data-file.js";
import type { DataRow, Reader, ReadOptions } from "./reader.js";
import { readTextPieces } from "./text-pieces.js";

/**
 * Comma-separated values (RFC 4180): a header line, quotes around fields that need them. Where the
 * first line has no comma but semicolons, as spreadsheets of many languages write, they separate.
 */
export const csvReader: Reader = {
  extensions: ["csv"],
  content: "a header line and one row per line",
  read: (file, options) => readTable(file, options, {}),
};

/**
 * Tab-separated values: a header line, quotes around fields as spreadsheets and pandas write them;
 * other quotes are text.
 */
export const tsvReader: Reader = {
  extensions: ["tsv", "tab"],
  content: "a header line and one row per line",
  read: (file, options) => readTable(file, options, { delimiter: "\t", relax_quotes: true }),
};

interface Dialect {
  /** Default: a comma or semicolons, by the first line. */
  readonly delimiter?: string;
  readonly relax_quotes?: boolean;
}

/** As Python's csv module ends lines, in whatever order a file mixes them. */
const lineEnds = ["\r\n", "\n", "\r"];

function countLines(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

const headerHint =
  "The first line is read as the header: for a file without one, set columns to the names of its columns; for another separator, set delimiter.";

async function* readTable(
  file: DataFile,
  options: ReadOptions,
  dialect: Dialect,
): AsyncGenerator<DataRow> {
  const pieces = readTextPieces(file)[Symbol.asyncIterator]();
  try {
    yield* rowsOf(pieces, file, options, dialect);
  } finally {
    // Whoever stops early would else leave the file open.
    await pieces.return?.();
  }
}

async function* rowsOf(
  pieces: AsyncIterator<string, void>,
  file: DataFile,
  options: ReadOptions,
  dialect: Dialect,
): AsyncGenerator<DataRow> {
  const first = await firstLine(pieces);
  if (first === "") return;
  const delimiter = options.delimiter ?? dialect.delimiter ?? delimiterOf(first, options);
  let records: DataRow[] = [];
  // The parser counts empty lines itself, and line ends inside of fields wrongly.
  let linesRead = 0;
  const hint = options.columns === undefined ? { hint: headerHint } : {};
  const countFields = (fields: readonly string[]) => {
    linesRead += 1 + countLines(fields.join("\0"));
  };
  const readHeader = (names: string[]) => {
    countFields(names);
    return header(names, file);
  };
  const parser = parse({
    ...{ ...dialect, delimiter, record_delimiter: lineEnds },
    columns: options.columns === undefined ? readHeader : [...options.columns],
    skip_empty_lines: true,
    on_record: (row: Record<string, string>, { empty_lines }) => {
      records.push({ row, where: `${file.name}:${linesRead + empty_lines + 1}`, ...hint });
      countFields(Object.values(row));
      // Nothing for the parser's own queue, which would have to be read at the same time.
      return null;
    },
  });
  const take = (): DataRow[] => {
    const taken = records;
    records = [];
    return taken;
  };
  let failure: unknown;
  parser.on("error", (error) => {
    failure ??= error;
  });
  const check = () => {
    if (failure !== undefined) throw explain(failure, file, linesRead, options);
  };
  for (let piece: string | undefined = first; piece !== undefined; ) {
    const text: string = piece;
    await new Promise<void>((resolve) => parser.write(text, () => resolve()));
    yield* take();
    check();
    const next = await pieces.next();
    piece = next.done === true ? undefined : next.value;
  }
  await new Promise<void>((resolve) => {
    parser.once("error", () => resolve());
    parser.end(() => resolve());
  });
  yield* take();
  check();
}

/** The pieces of a text up to its first line end, or all of them. */
async function firstLine(pieces: AsyncIterator<string, void>): Promise<string> {
  let text = "";
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return text;
    text += next.value;
    if (countLines(text) > 0) return text;
  }
}

/** A comma, unless the first line shows that semicolons separate its fields. */
function delimiterOf(text: string, { columns }: ReadOptions): string {
  const outsideQuotes = (text.split(/\r|\n/)[0] as string).replace(/"[^"]*"?/g, "");
  const count = (character: string) => outsideQuotes.split(character).length - 1;
  const isSemicolons =
    columns === undefined
      ? count(",") === 0 && count(";") > 0
      : count(",") !== columns.length - 1 && count(";") === columns.length - 1;
  return isSemicolons && count(";") > 0 ? ";" : ",";
}

function header(names: readonly string[], file: DataFile): string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  const isEmpty = names.some((name) => name.trim() === "");
  if (twice === undefined && !isEmpty) return [...names];
  throw new PupilError(
    isEmpty
      ? "the header line has a column without a name."
      : `the header line names the column ${showValue(twice)} twice.`,
    {
      field: `${file.name}:1`,
      value: names,
      remedy: "Give every column a name of its own; for a file without a header line, set columns.",
    },
  );
}

const remedies: Partial<Record<CsvError["code"], string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS:
    "Every row needs as many fields as the header; put quotes around fields with separators or line ends, or set delimiter.",
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH:
    "Every row needs as many fields as there are columns; check columns and delimiter.",
  CSV_QUOTE_NOT_CLOSED: "A quote is opened and never closed; write a quote inside a field twice.",
  CSV_INVALID_CLOSING_QUOTE: "Write a quote inside a field twice.",
  INVALID_OPENING_QUOTE: "Put quotes around the whole field, and write a quote inside it twice.",
};

function explain(
  failure: unknown,
  file: DataFile,
  linesRead: number,
  options: ReadOptions,
): unknown {
  if (failure instanceof PupilError) return failure;
  const { code, message, record, columns, empty_lines } = failure as CsvError;
  if (code === undefined) return failure;
  const isRagged = Array.isArray(record) && Array.isArray(columns);
  const problem = isRagged
    ? `has ${record.length} fields, expected ${options.columns?.length ?? columns.length}.`
    : code === "CSV_QUOTE_NOT_CLOSED"
      ? "opens a quote that is never closed."
      : `is not a valid row: ${message}.`;
  return new PupilError(problem, {
    field: `${file.name}:${linesRead + Number(empty_lines ?? 0) + 1}`,
    value: record,
    remedy: remedies[code] ?? "Check delimiter and the quotes.",
    cause: failure,
  });
}
