import type { FileMetaData } from "hyparquet";
import { PupilError } from "../../errors/index.js";
import type { DataFile, DecodedRows } from "./data-file.js";
import { decodeHere } from "./parquet-decoder.js";
import { type Column, numbersAsWritten, topColumns } from "./parquet-columns.js";
import type { DataRow, Reader, ReadOptions, WantedFields } from "./reader.js";

/** Parquet; one row group is in memory at a time. Nested columns become objects and lists. */
export const parquetReader: Reader = {
  extensions: ["parquet"],
  content: "a Parquet table",
  read: readParquet,
};

async function* readParquet(file: DataFile, { only }: ReadOptions): AsyncGenerator<DataRow> {
  const guard = async <T>(what: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw damaged(file, `${what} cannot be read${reasonOf(cause)}`, cause);
    }
  };
  if (file.byteLength === 0) return;
  const decoder = file.decodeParquet?.() ?? (await decodeHere(file));
  const metadata = await guard("its index", decoder.metadata());
  checkIndex(file, metadata);
  const all = await guard(
    "its index",
    attempt(() => topColumns(metadata)),
  );
  const columns = only && columnsFor(only, all);
  const asWritten = numbersAsWritten(all);
  const groups = metadata.row_groups;
  let start = 0;
  for (const [group, { num_rows }] of groups.entries()) {
    const end = start + Number(num_rows);
    const what = `row group ${group + 1} of ${groups.length}`;
    const decoded = await guard(what, decoder.rows(metadata, { start, end, columns }));
    nameNulls(decoded.rows, all);
    checkCounts(file, what, Number(num_rows), decoded);
    const rows = await guard(
      what,
      attempt(() => decoded.rows.map(asWritten)),
    );
    for (const [i, row] of rows.entries()) {
      yield { row, where: `${file.name}:${start + i + 1}` };
    }
    start = end;
  }
}

/** What fails here rejects, as the decoder does. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

/** An index that contradicts itself; the decoder would believe it. */
function checkIndex(file: DataFile, { num_rows, row_groups: groups, schema }: FileMetaData): void {
  const isCount = (value: unknown) => typeof value === "bigint" && value >= 0n && value < 2n ** 32n;
  const fail = (how: string): never => {
    throw damaged(file, `its index ${how}`);
  };
  if (!isCount(num_rows)) fail("has no number of rows");
  if (!groups.every((group) => isCount(group.num_rows))) fail("has a row group without its size");
  const sum = groups.reduce((total, group) => total + group.num_rows, 0n);
  if (sum !== num_rows) fail(`states ${num_rows} rows, its row groups have ${sum}`);
  const leaves = schema.filter(({ num_children }) => num_children === undefined).length;
  for (const { columns, num_rows: rows } of groups) {
    if (columns.length !== leaves)
      fail(`states ${leaves} columns, a row group has ${columns.length}`);
    for (const { meta_data: chunk } of columns) {
      if (chunk === undefined) return fail("has a column without a description");
      // Lists have more values than there are rows, or none for a row.
      const isFlat = chunk.path_in_schema.length === 1;
      if (!isCount(chunk.num_values) || (isFlat && chunk.num_values !== rows)) {
        fail(
          `states ${chunk.num_values} values of ${chunk.path_in_schema.join(".")} in ${rows} rows`,
        );
      }
    }
  }
}

/** The decoder gives undefined for a list, map or struct that is null. */
function nameNulls(rows: readonly Record<string, unknown>[], columns: readonly Column[]): void {
  const nested = columns.filter(({ children }) => children.length > 0);
  for (const { element } of nested) {
    for (const row of rows) if (element.name in row) row[element.name] ??= null;
  }
}

/** Every column has a value for every row, or the file is not what its index says. */
function checkCounts(file: DataFile, what: string, expected: number, decoded: DecodedRows): void {
  const { rows, counts } = decoded;
  const wrong = Object.entries(counts).find(([, count]) => count !== expected);
  if (wrong !== undefined) {
    throw damaged(file, `${what} has ${wrong[1]} values of ${wrong[0]} in place of ${expected}`);
  }
  const isWhole = rows.every((row) => Object.values(row).every((value) => value !== undefined));
  if (rows.length === expected && isWhole) return;
  throw damaged(file, `${what} has other rows than the index states`);
}

/** The columns that fields lie in; all where one has none, so that the error can name them. */
function columnsFor(only: WantedFields, all: readonly Column[]): string[] | undefined {
  const names = all.map(({ element }) => element.name);
  const columnOf = (path: string) =>
    names.find((name) => name === path) ?? names.find((name) => path.startsWith(`${name}.`));
  const required = only.required.map(columnOf);
  const columns = [...required, ...only.optional.map(columnOf)].filter(
    (name) => name !== undefined,
  );
  return required.includes(undefined) ? undefined : [...new Set(columns)];
}

/** What the decoder says; of an error of the engine, that it is one says nothing to a reader. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error) || cause instanceof TypeError || cause instanceof RangeError)
    return "";
  return ` (${cause.message.replace(/\.$/, "")})`;
}

function damaged(file: DataFile, problem: string, cause?: unknown): PupilError {
  return new PupilError(`is not a readable Parquet file: ${problem}.`, {
    field: file.name,
    remedy: "The file may be cut or have another format: fetch it again, or set format.",
    ...(cause === undefined ? {} : { cause }),
  });
}
