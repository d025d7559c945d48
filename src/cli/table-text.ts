import Table from "cli-table3";
import type { ReportTable } from "../node/index.js";

/** A table of a report for a terminal. */
export function tableText({ title, head, rows, note }: ReportTable): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return [title, table.toString(), ...(note === undefined ? [] : [note])].join("\n");
}
