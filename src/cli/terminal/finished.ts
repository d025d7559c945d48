import { join } from "node:path";
import type { RunConfig } from "../../config/index.js";
import { type Reached, reachedIn, readLog } from "../../node/index.js";
import { formatNumber } from "./format.js";
import { tableText } from "./table-text.js";
import { pupil, quoted } from "./typed.js";

/** What follows the end of a run: how far its measures have come, and what to do with it. */
export async function finishedLines(
  run: string,
  { trainer, teacher }: RunConfig,
): Promise<string[]> {
  const { rows, unreadable } = await readLog(join(run, "metrics.jsonl"));
  const evaluations = rows.filter((row) => row.type === "evaluation");
  const reached = reachedIn(evaluations);
  const lost = unreadable === 0 ? [] : [`${unreadable} lines of metrics.jsonl cannot be read.`];
  const table = reached.length === 0 ? [] : [reachedTable(reached)];
  // A ranker writes nothing.
  const path = quoted(run);
  const writes = trainer.type !== "rank";
  return [
    ...lost,
    ...table,
    "Next:",
    ...(writes ? [`  ${pupil()} generate ${path} "<prompt>"`] : []),
    `  ${pupil()} evaluate ${path}`,
    `  ${pupil()} report ${path}`,
    ...(writes && teacher !== undefined ? [`  ${pupil()} tokens ${path} "<text>"`] : []),
  ];
}

function reachedTable(reached: readonly Reached[]): string {
  const table = {
    title: "What it reached",
    head: ["measure", "first", "last", "best", "at step"],
    rows: reached.map(({ name, first, last, best }) => [
      ...[name, formatNumber(first), formatNumber(last)],
      ...(best === undefined ? ["", ""] : [formatNumber(best.value), String(best.step)]),
    ]),
  };
  return tableText(table, { isCompact: true });
}
