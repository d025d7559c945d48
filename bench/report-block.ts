import type { BenchmarkResults } from "./results.js";
import { markdownTable, resultTables } from "./tables.js";

const start = "<!-- benchmark: written by bench/report.ts -->";
const end = "<!-- end -->";

/** Machine, command and tables in Markdown. */
export function reportBlock(results: BenchmarkResults): string {
  const { machine, command, date, skipped } = results;
  const torch = machine.torch === undefined ? "" : `, PyTorch ${machine.torch}`;
  const load = [machine.loadBefore, machine.loadAfter].map((value) => value.toFixed(1));
  const facts = [
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `- Versions: Node ${machine.node}${torch}`,
    `- Command: \`${command}\`, ${date.slice(0, 10)}; load average ${load[0]} before, ${load[1]} after`,
    ...skipped.map((what) => `- Skipped: ${what}`),
  ];
  return [facts.join("\n"), ...resultTables(results).map(markdownTable)].join("\n\n");
}

/** `page` with what lies between the marks replaced. */
export function replaceBlock(page: string, block: string): string {
  const from = page.indexOf(start);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`The page has no "${start}" … "${end}".`);
  return `${page.slice(0, from + start.length)}\n\n${block}\n\n${page.slice(to)}`;
}
