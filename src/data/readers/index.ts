import { oneOf, PupilError, requireMember } from "../../errors/index.js";
import { csvReader, tsvReader } from "./csv.js";
import type { DataFile } from "./data-file.js";
import { jsonReader } from "./json.js";
import { jsonlReader } from "./jsonl.js";
import { parquetReader } from "./parquet.js";
import type { DataRow, Reader, ReadOptions } from "./reader.js";
import { textReader } from "./text.js";

export const readers = {
  jsonl: jsonlReader,
  json: jsonReader,
  text: textReader,
  csv: csvReader,
  tsv: tsvReader,
  parquet: parquetReader,
} as const satisfies Record<string, Reader>;

export type DataFormat = keyof typeof readers;

/** Formats of data files, by the names that a config gives them. */
export const dataFormats = Object.keys(readers) as [DataFormat, ...DataFormat[]];

/** The format of a file by the end of its name, or undefined. */
export function formatOfName(name: string): DataFormat | undefined {
  const extension = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return dataFormats.find((format) =>
    (readers[format].extensions as readonly string[]).includes(extension),
  );
}

/**
 * The rows of a file, one at a time; the format comes from its name unless it is given.
 *
 * @throws PupilError naming file and line for what cannot be read, and for a file without rows
 */
export async function* readRows(
  file: DataFile,
  options: ReadOptions & { readonly format?: DataFormat | undefined } = {},
): AsyncGenerator<DataRow> {
  requireMember(file, "chunks", {
    field: "readRows: file",
    remedy: "Give it a file: await openDataFile(path).",
  });
  const format = options.format ?? formatOfName(file.name) ?? unknownFormat(file.name);
  const reader: Reader = readers[format];
  let isEmpty = true;
  for await (const row of reader.read(file, options)) {
    isEmpty = false;
    yield row;
  }
  if (!isEmpty) return;
  throw new PupilError("has no rows.", {
    field: file.name,
    remedy: `Give a file with ${reader.content}.`,
  });
}

function unknownFormat(name: string): never {
  const extension = /\.(\w+)$/.exec(name)?.[1] ?? "";
  const known = dataFormats.flatMap((format) => readers[format].extensions);
  throw new PupilError(
    extension === "" ? "has no extension." : `has the unknown extension ".${extension}".`,
    {
      field: name,
      value: extension,
      remedy: `${oneOf(extension, known)} Or set format to ${dataFormats.join(", ")}.`,
    },
  );
}
