import { lossPartTable } from "../loss-memory/loss-part-table.js";
import type { BenchmarkResults } from "../results.js";
import { markdownTable, resultTables, type Table } from "./tables.js";

/** A part of the page that one run of the benchmark fills, so that parts can come from several. */
export type BlockName = "benchmark" | "benchmark-256" | "loss-memory";

/** A CPU whose widest vectors have 256 bits has a part of its own: its bounds are others. */
const isNarrow = ({ hardware }: BenchmarkResults) => hardware?.native?.bits === 256;

const blockTables: Readonly<Record<BlockName, (results: BenchmarkResults) => Table[]>> = {
  benchmark: (results) => (isNarrow(results) ? [] : resultTables(results)),
  "benchmark-256": (results) => (isNarrow(results) ? resultTables(results) : []),
  "loss-memory": (results) => [lossPartTable(results)].filter(({ rows }) => rows.length > 0),
};

/** The parts that the results have something for, in Markdown: machine, command and tables. */
export function reportBlocks(results: BenchmarkResults): Map<BlockName, string> {
  const blocks = new Map<BlockName, string>();
  for (const [name, tablesOf] of Object.entries(blockTables)) {
    const tables = tablesOf(results);
    if (tables.length > 0) blocks.set(name as BlockName, reportBlock(results, tables));
  }
  return blocks;
}

function reportBlock(results: BenchmarkResults, tables: readonly Table[]): string {
  const { machine, command, date, skipped } = results;
  const torch = machine.torch === undefined ? "" : `, PyTorch ${machine.torch}`;
  const load = [machine.loadBefore, machine.loadAfter].map((value) => value.toFixed(1));
  const facts = [
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `- Versions: Node ${machine.node}${torch}`,
    `- Command: \`${command}\`, ${date.slice(0, 10)}; load average ${load[0]} before, ${load[1]} after`,
    ...skipped.map((what) => `- Skipped: ${what}`),
  ];
  return [facts.join("\n"), ...tables.map(markdownTable)].join("\n\n");
}

/** `page` with what lies between the marks of a part replaced. */
export function replaceBlock(page: string, name: BlockName, block: string): string {
  const start = `<!-- ${name}: written by bench/report.ts -->`;
  const end = "<!-- end -->";
  const from = page.indexOf(start);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`The page has no "${start}" … "${end}".`);
  return `${page.slice(0, from + start.length)}\n\n${block}\n\n${page.slice(to)}`;
}
