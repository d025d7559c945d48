import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { DataFile } from "../../data/index.js";
import { decodeInWorker } from "./parquet-worker.js";
import { explainFileErrors, requireRegular } from "./read-files.js";

export interface OpenOptions {
  /** How long decoding a small Parquet file may take. Default: 30; one second more per megabyte. */
  readonly parquetSeconds?: number;
}

/** A file on disk, read in pieces. @throws PupilError if it is not there or not readable */
export async function openDataFile(
  path: string,
  { parquetSeconds = 30 }: OpenOptions = {},
): Promise<DataFile> {
  const explained = <T>(read: () => Promise<T>) => explainFileErrors(path, "data file", read);
  const size = await explained(async () => {
    const info = await stat(path);
    requireRegular(info);
    return info.size;
  });
  return {
    name: path,
    byteLength: size,
    decodeParquet: () => decodeInWorker(path, size, parquetSeconds),
    slice: (start, end = size) =>
      explained(async () => {
        await using file = await open(path);
        const bytes = new Uint8Array(Math.max(0, end - start));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.buffer.slice(0, bytesRead);
      }),
    async *chunks() {
      await using file = await explained(() => open(path));
      yield* createReadStream(path, {
        fd: file,
        autoClose: false,
        highWaterMark: 1024 * 1024,
      }) as AsyncIterable<Uint8Array>;
    },
  };
}
