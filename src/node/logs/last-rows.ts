import { open } from "node:fs/promises";
import type { LogRow } from "../../trainers/index.js";
import { parseRow } from "./log-file.js";

type LastRows = { readonly [T in LogRow["type"]]?: LogRow & { type: T } };

const block = 2 ** 16;

/**
 * The last row of each of some types, read from the end of a log that may be large and growing.
 *
 * @param most bytes that are looked at: what lies further back is not found
 */
export async function lastRows(
  path: string,
  types: readonly LogRow["type"][],
  most = 2 ** 22,
): Promise<LastRows> {
  const found: Partial<Record<LogRow["type"], LogRow>> = {};
  const file = await open(path, "r");
  try {
    let { size: start } = await file.stat();
    const stop = Math.max(0, start - most);
    /** What was read before the first line end that was seen: the end of a line that begins further ahead. */
    let rest: Buffer = Buffer.alloc(0);
    let isEnd = true;
    while (start > stop && types.some((type) => found[type] === undefined)) {
      const length = Math.min(block, start - stop);
      start -= length;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
      const bytes = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
      const first = start === 0 ? 0 : bytes.indexOf(10) + 1;
      if (start > 0 && first === 0) {
        rest = bytes;
        continue;
      }
      const lines = bytes.subarray(first).toString("utf8").split("\n");
      // Behind the last line end is what is being written; before it, in later blocks, nothing.
      if (isEnd) lines.pop();
      isEnd = false;
      for (const line of lines.reverse()) {
        const row = parseRow(line);
        if (row !== undefined) found[row.type] ??= row;
      }
      rest = bytes.subarray(0, first);
    }
  } finally {
    await file.close();
  }
  return found as LastRows;
}
