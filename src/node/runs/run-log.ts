import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { disk, explainDiskErrors } from "../files/disk.js";
import { exists } from "../files/file-exists.js";
import { withNumbers } from "../files/json.js";

/** One row of a `.jsonl` log, with the step that it belongs to. */
export interface LogRow {
  readonly step: number;
}

/**
 * Cuts a log after the last row that is kept; a row that a kill cut short is no row. Rows that are not
 * kept are all behind those that are. Each row kept is shown to `visit`, in order.
 */
export async function cutLog(
  path: string,
  isKept: (row: LogRow) => boolean,
  visit: (row: LogRow) => void = () => undefined,
): Promise<void> {
  if (!(await exists(path))) return;
  let length = 0;
  for await (const { text, end } of linesOf(path)) {
    const row = parseRow(text);
    if (row === undefined) continue;
    if (!isKept(row)) break;
    length = end;
    visit(row);
  }
  const { size } = await stat(path);
  if (size > length) await explainDiskErrors(path, () => disk.truncate(path, length));
}

/** The whole rows of a log that has ended, in order, with numbers in the place of "Infinity" and the like. */
export async function readLog(
  path: string,
): Promise<(LogRow & Readonly<Record<string, unknown>>)[]> {
  const rows = [];
  for await (const { text } of linesOf(path)) {
    const row = parseRow(text);
    if (row !== undefined) rows.push(withNumbers(row) as LogRow & Record<string, unknown>);
  }
  return rows;
}

/** Whole lines of a file of any length, with the position behind each in bytes. */
async function* linesOf(path: string): AsyncGenerator<{ text: string; end: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let newline = rest.indexOf(10); newline >= 0; newline = rest.indexOf(10)) {
      position += newline + 1;
      yield { text: rest.toString("utf8", 0, newline), end: position };
      rest = rest.subarray(newline + 1);
    }
  }
}

function parseRow(text: string): LogRow | undefined {
  try {
    const row = JSON.parse(text) as Partial<LogRow> | null;
    return typeof row?.step === "number" ? (row as LogRow) : undefined;
  } catch {
    return undefined;
  }
}
