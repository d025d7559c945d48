import type { FileMetaData } from "hyparquet";
import type { DataFile } from "./data-file.js";

/** The rows of a range, and how many values each column had for them: as many, in a whole file. */
export interface DecodedRows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly counts: Readonly<Record<string, number>>;
}

export interface RowRange {
  readonly start: number;
  readonly end: number;
  /** Default: all. */
  readonly columns?: readonly string[] | undefined;
}

/**
 * Decodes one Parquet file. A file with a wrong byte can make the decoder compute without an end, so
 * that where it can run apart from the caller, it does: see `DataFile.decodeParquet`.
 */
export interface ParquetDecoder {
  metadata(): Promise<FileMetaData>;
  /** @param metadata what the other function gave */
  rows(metadata: FileMetaData, range: RowRange): Promise<DecodedRows>;
}

/** Decodes in this thread, with what is there in browsers. */
export async function decodeHere(file: DataFile): Promise<ParquetDecoder> {
  const { parquetMetadataAsync, parquetRead, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const buffer = { byteLength: file.byteLength, slice: file.slice };
  return {
    metadata: () => parquetMetadataAsync(buffer),
    rows: async (metadata, { start, end, columns }) => {
      const names = columns ?? parquetSchema(metadata).children.map(({ element }) => element.name);
      const rows = Array.from({ length: end - start }, (): Record<string, unknown> => ({}));
      const counts: Record<string, number> = {};
      // One at a time: of several that fail, the decoder would leave all but one unhandled.
      for (const name of names) {
        counts[name] = 0;
        await parquetRead({
          ...{ file: buffer, metadata, compressors, rowStart: start, rowEnd: end },
          ...{ columns: [name], rowFormat: "object" },
          onChunk: ({ columnData }) => {
            counts[name] = (counts[name] as number) + columnData.length;
          },
          onComplete: (column: readonly object[]) => {
            for (const [i, row] of column.entries()) Object.assign(rows[i] ?? {}, row);
          },
        });
      }
      return { rows, counts };
    },
  };
}
