import Table from "cli-table3";
import { startBackend } from "../../../backend/index.js";
import { showValue } from "../../../errors/index.js";
import {
  type CollectEvent,
  type Collection,
  type CollectSummary,
  collectTraces,
  nodePlatform,
  resolveCollect,
} from "../../../node/index.js";
import { formatMetrics, formatNumber } from "../../terminal/format.js";
import { type EndingSignal, exitCodes } from "../../terminal/interrupts.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil collect <collect.json> [key=value …]`. */
export async function collectCommand(path: string, words: string[]): Promise<void> {
  const config = await resolveCollect(path, words);
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  writeLine(process.stderr, backend.line);
  const stop = new AbortController();
  const onInterrupt = (name: EndingSignal) => stop.abort(name);
  process.once("SIGINT", onInterrupt);
  process.once("SIGTERM", onInterrupt);
  try {
    const collection = await collectTraces({ config, report, signal: stop.signal });
    for (const line of collectionLines(collection)) writeLine(process.stdout, line);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    writeLine(process.stderr, "Stopped; nothing was written. The same command begins again.");
    process.exitCode = exitCodes[stop.signal.reason as EndingSignal];
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}

function report(event: CollectEvent): void {
  switch (event.type) {
    case "started":
      for (const note of event.notes) writeLine(process.stderr, note);
      return writeLine(process.stderr, `Collecting from ${formatNumber(event.problems)} problems.`);
    case "written":
      return writeLine(process.stderr, `${formatNumber(event.completions)} completions written.`);
    case "step":
      return;
  }
}

/** What a person wants to know of a collection. */
export function collectionLines({ path, summary, examples, kept }: Collection): string[] {
  const { counts, cost, measures } = summary;
  const costs = Object.entries(cost).filter(([, value]) => value > 0);
  return [
    ...(kept ? ["It was there already, from the same config."] : []),
    countTable(counts),
    `Cost: ${costs.length === 0 ? "nothing" : formatMetrics(Object.fromEntries(costs))}`,
    `Measures: ${formatMetrics(measures)}`,
    "For example:",
    ...Object.entries(examples[0] ?? {}).map(
      ([key, value]) => `  ${key}: ${showValue(value, 400)}`,
    ),
    `Rows: ${path}/rows.jsonl`,
  ];
}

function countTable({ problems, sampled, steps, rows }: CollectSummary["counts"]): string {
  const table = new Table({
    head: ["step", "in", "out"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right"],
  });
  table.push(["sampler", `${formatNumber(problems)} problems`, formatNumber(sampled)]);
  for (const { type, kind, in: given, out, unchanged } of steps) {
    const same = unchanged ? ` (${formatNumber(unchanged)} unchanged)` : "";
    table.push([`${kind} ${type}`, formatNumber(given), `${formatNumber(out)}${same}`]);
  }
  table.push(["rows", "", formatNumber(rows)]);
  return table.toString();
}
