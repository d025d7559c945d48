import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { DataFile } from "../data/index.js";
import { unreadable } from "./read-files.js";

/** A file on disk, read in pieces. @throws PupilError if it is not there or not readable */
export async function openDataFile(path: string): Promise<DataFile> {
  const what = "data file";
  const info = await stat(path).catch((error: unknown) => {
    throw unreadable(error, path, what);
  });
  if (info.isDirectory()) throw unreadable({ code: "EISDIR" }, path, what);
  return {
    name: path,
    byteLength: info.size,
    async slice(start, end = info.size) {
      try {
        await using file = await open(path);
        const bytes = new Uint8Array(Math.max(0, end - start));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.buffer.slice(0, bytesRead);
      } catch (error) {
        throw unreadable(error, path, what);
      }
    },
    async *chunks() {
      try {
        yield* createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw unreadable(error, path, what);
      }
    },
  };
}
