import { open } from "node:fs/promises";
import { exists } from "../files/file-exists.js";

/**
 * The whole lines at the beginning and at the end of a file that may be large: all of a small one. None if it is
 * not there.
 *
 * @param most bytes that are read of each end
 */
export async function readEnds(path: string, most = 2 ** 21): Promise<string[]> {
  if (!(await exists(path))) return [];
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const read = async (start: number, length: number) => {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, start);
      return bytes.toString("utf8", 0, bytesRead).split("\n");
    };
    // What is behind the last line end is being written.
    if (size <= 2 * most) return (await read(0, size)).slice(0, -1);
    const first = (await read(0, most)).slice(0, -1);
    return [...first, ...(await read(size - most, most)).slice(1, -1)];
  } finally {
    await file.close();
  }
}
