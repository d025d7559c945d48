import type { FileMetaData } from "hyparquet";
import { PupilError } from "../../errors/index.js";
import type { DataFile } from "./data-file.js";
import type { DataRow, Reader, ReadOptions, WantedFields } from "./reader.js";

/** Parquet; one row group is in memory at a time. Nested columns become objects and lists. */
export const parquetReader: Reader = {
  extensions: ["parquet"],
  content: "a Parquet table",
  read: readParquet,
};

async function* readParquet(file: DataFile, { only }: ReadOptions): AsyncGenerator<DataRow> {
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const buffer = { byteLength: file.byteLength, slice: file.slice };
  const guard = async <T>(what: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw damaged(file, what, cause);
    }
  };
  if (file.byteLength === 0) return;
  const metadata = await guard("its index", parquetMetadataAsync(buffer));
  const columns = only && columnsFor(only, columnNames(metadata));
  let first = 0;
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    const end = first + Number(num_rows);
    const options = { file: buffer, metadata, compressors, rowStart: first, rowEnd: end };
    const rows = await guard(
      `row group ${group + 1} of ${metadata.row_groups.length}`,
      parquetReadObjects({ ...options, ...(columns && { columns }) }),
    );
    for (const [i, row] of rows.entries()) yield { row, where: `${file.name}:${first + i + 1}` };
    first = end;
  }
}

/** Names of the top-level columns. */
function columnNames({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  let at = 1;
  const skip = (): void => {
    const children = schema[at]?.num_children ?? 0;
    at += 1;
    for (let i = 0; i < children; i++) skip();
  };
  while (at < schema.length) {
    names.push(schema[at]?.name as string);
    skip();
  }
  return names;
}

/** The columns that fields lie in; all where one has none, so that the error can name them. */
function columnsFor(only: WantedFields, names: readonly string[]): string[] | undefined {
  const columnOf = (path: string) =>
    names.find((name) => name === path) ?? names.find((name) => path.startsWith(`${name}.`));
  const required = only.required.map(columnOf);
  const columns = [...required, ...only.optional.map(columnOf)].filter(
    (name) => name !== undefined,
  );
  return required.includes(undefined) ? undefined : [...new Set(columns)];
}

function damaged(file: DataFile, what: string, cause: unknown): PupilError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PupilError(`is not a readable Parquet file: ${what} cannot be read (${reason}).`, {
    field: file.name,
    remedy: "The file may be cut or have another format: fetch it again, or set format.",
    cause,
  });
}
