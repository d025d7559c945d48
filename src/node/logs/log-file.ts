import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type LogRow, logVersion, readLogRow } from "../../trainers/index.js";
import { disk, explainDiskErrors } from "../files/disk.js";
import { exists } from "../files/file-exists.js";

/** A line of a `.jsonl` log of a run, with the step that it belongs to. */
export interface LogLine {
  readonly step: number;
}

type Untimed<R> = R extends LogRow ? Omit<R, "time"> : never;
/** A row of `metrics.jsonl` that is to be written now. */
export type NewLogRow = Untimed<LogRow>;

/** What the line of a new row holds. */
export function lineOf(
  row: NewLogRow,
  now = new Date(),
): LogLine & Readonly<Record<string, unknown>> {
  const { type, step, ...rest } = row;
  const common = { version: logVersion, type, step, time: now.toISOString() };
  if (!("values" in rest)) return { ...common, ...rest };
  const { values, ...flags } = rest;
  return { ...common, ...flags, ...values };
}

/**
 * Cuts a log after the last row that is kept; a row that a kill cut short is no row. Rows that are not
 * kept are all behind those that are. Each row kept is shown to `visit`, in order.
 */
export async function cutLog(
  path: string,
  isKept: (line: LogLine) => boolean,
  visit: (line: LogLine) => void = () => undefined,
): Promise<void> {
  if (!(await exists(path))) return;
  let length = 0;
  for await (const { text, end } of linesOf(path)) {
    const line = parseLine(text);
    if (line === undefined) continue;
    if (!isKept(line)) break;
    length = end;
    visit(line);
  }
  const { size } = await stat(path);
  if (size > length) await explainDiskErrors(path, () => disk.truncate(path, length));
}

/** A log as it is read: its rows in order, and how many lines are none. */
export interface LogContent {
  readonly rows: readonly LogRow[];
  readonly unreadable: number;
}

/** The whole rows of a `metrics.jsonl`, in order; a line that is still being written is left out. */
export async function readLog(path: string): Promise<LogContent> {
  const rows: LogRow[] = [];
  let unreadable = 0;
  for await (const row of logRows(path)) {
    if (row === undefined) unreadable++;
    else rows.push(row);
  }
  return { rows, unreadable };
}

/** The same one by one; undefined for a line that is no row. */
export async function* logRows(path: string): AsyncGenerator<LogRow | undefined> {
  for await (const { text } of linesOf(path)) yield parseRow(text);
}

/** The row in a line of `metrics.jsonl`; undefined if it holds none. */
export function parseRow(text: string): LogRow | undefined {
  const line = parseLine(text);
  return line && readLogRow(line);
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

function parseLine(text: string): LogLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<LogLine> | null;
    return typeof line?.step === "number" ? (line as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
