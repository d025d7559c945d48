import Table from "cli-table3";
import type { ReportTable } from "../node/index.js";

/** A table of a report for a terminal; a compact one has no lines between its rows. */
export function tableText(
  { title, head, rows, note }: ReportTable,
  { isCompact = false } = {},
): string {
  const style = { head: [], border: [], compact: isCompact };
  const table = new Table({ head: [...head], style });
  table.push(...rows.map((row) => [...row]));
  return [title, table.toString(), ...(note === undefined ? [] : [note])].join("\n");
}
