import type { DataFile, ParquetDecoder } from "./data-file.js";

const decoder = new TextDecoder();

/** JSON.parse would lose how its numbers are written: `numbersAsWritten` parses it. */
const textOfJson = {
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
};

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
          ...{ columns: [name], rowFormat: "object", parsers: textOfJson },
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
