import { logRows } from "../log-file.js";

/**
 * A log as CSV (RFC 4180), in pieces: a line for each step and evaluation, with a column for each quantity that
 * any of them has; what a row lacks is empty. Reads the log twice. Numbers that are not finite are `Infinity`,
 * `-Infinity` and `NaN`.
 */
export async function* csvOf(log: string): AsyncGenerator<string> {
  const names = new Set<string>();
  for await (const row of logRows(log)) {
    if (row === undefined || !("values" in row)) continue;
    for (const name of Object.keys(row.values)) names.add(name);
  }
  yield lineOf(["type", "step", "time", ...names]);
  for await (const row of logRows(log)) {
    if (row === undefined || !("values" in row)) continue;
    const { type, step, time, values } = row;
    yield lineOf([type, step, time ?? "", ...[...names].map((name) => values[name] ?? "")]);
  }
}

const lineOf = (cells: readonly (string | number)[]) =>
  `${cells.map((cell) => quoted(String(cell))).join(",")}\r\n`;

const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
