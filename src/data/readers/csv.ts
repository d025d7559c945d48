import { type CsvError, parse } from "csv-parse/browser/esm";
import { PupilError, showValue } from "../../errors/index.js";
import type { DataFile } from "./data-file.js";
import type { DataRow, Reader, ReadOptions } from "./reader.js";
import { countLineEnds, readTextPieces } from "./text-pieces.js";

/** Comma-separated values (RFC 4180): a header line, quotes around fields that need them. */
export const csvReader: Reader = {
  extensions: ["csv"],
  content: "a header line and one row per line",
  read: (file, options) => readTable(file, options, { delimiter: "," }),
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
  readonly delimiter: string;
  readonly relax_quotes?: boolean;
}

async function* readTable(
  file: DataFile,
  options: ReadOptions,
  dialect: Dialect,
): AsyncGenerator<DataRow> {
  let records: DataRow[] = [];
  // A record whose fields hold line ends begins that many lines before the one it ends in.
  let nextLine = options.columns === undefined ? 2 : 1;
  const parser = parse({
    ...dialect,
    columns: options.columns === undefined ? (names) => header(names, file) : [...options.columns],
    skip_empty_lines: true,
    on_record: (row: Record<string, string>, { lines }) => {
      const inside = Object.values(row).reduce((sum, text) => sum + countLineEnds(text), 0);
      records.push({ row, where: `${file.name}:${lines - inside}` });
      nextLine = lines + 1;
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
    if (failure !== undefined) throw explain(failure, file, nextLine, options);
  };
  let isEmpty = true;
  for await (const piece of readTextPieces(file)) {
    isEmpty = false;
    await new Promise<void>((resolve) => parser.write(piece, () => resolve()));
    yield* take();
    check();
  }
  if (isEmpty) return;
  await new Promise<void>((resolve) => {
    parser.once("error", () => resolve());
    parser.end(() => resolve());
  });
  yield* take();
  check();
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
    "Every row needs as many fields as the header; put quotes around fields with commas or line ends.",
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH:
    "Every row needs as many fields as there are columns; check columns and the separator.",
  CSV_QUOTE_NOT_CLOSED: "A quote is opened and never closed; write a quote inside a field twice.",
  CSV_INVALID_CLOSING_QUOTE: "Write a quote inside a field twice.",
  INVALID_OPENING_QUOTE: "Put quotes around the whole field, and write a quote inside it twice.",
};

function explain(failure: unknown, file: DataFile, line: number, options: ReadOptions): unknown {
  if (failure instanceof PupilError) return failure;
  const { code, message, lines, record, columns } = failure as CsvError;
  if (code === undefined) return failure;
  const isRagged = Array.isArray(record) && Array.isArray(columns);
  const problem = isRagged
    ? `has ${record.length} fields, expected ${options.columns?.length ?? columns.length}.`
    : code === "CSV_QUOTE_NOT_CLOSED"
      ? "opens a quote that is never closed."
      : `is not a valid row: ${message}.`;
  return new PupilError(problem, {
    field: `${file.name}:${code === "CSV_QUOTE_NOT_CLOSED" ? line : Number(lines ?? line)}`,
    value: record,
    remedy: remedies[code] ?? "Check the separator and the quotes.",
    cause: failure,
  });
}
