import type { FileMetaData } from "hyparquet";

/** A file to read rows from: a file on disk, a browser's `File`, or a text in memory. */
export interface DataFile {
  /** Path or name, as messages show it. */
  readonly name: string;
  readonly byteLength: number;
  /** Bytes `start` to `end`, for formats with an index. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
  /** All bytes in order, in pieces. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Decodes it as Parquet where it can be stopped. Default: in this thread, however long it takes. */
  decodeParquet?(): ParquetDecoder;
}

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

/** A `DataFile` of a `Blob` (a browser's `File` is one), or of content in memory. */
export function dataFile(
  name: string,
  content: Blob | string | ArrayBuffer | Uint8Array<ArrayBuffer>,
): DataFile {
  const blob = content instanceof Blob ? content : new Blob([content]);
  return {
    name,
    byteLength: blob.size,
    slice: (start, end = blob.size) => blob.slice(start, end).arrayBuffer(),
    async *chunks() {
      // A reader, not the stream itself: not every browser iterates streams.
      const reader = blob.stream().getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    },
  };
}
