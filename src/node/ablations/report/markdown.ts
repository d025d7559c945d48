import { aboutLines, type Report, verdictLines } from "./content.js";
import type { Table } from "./tables.js";

/** The report for a repository: tables, and the drawings as PNG beside it. */
export function markdownReport(report: Report): string {
  const { plan, summary, tables, drawings, command, environment } = report;
  const lines = [
    `# ${plan.name}`,
    ...[...aboutLines(report), ...verdictLines(report)].flatMap((line) => ["", line]),
    ...[...summary, ...tables].flatMap((table) => [
      "",
      `## ${table.title}`,
      "",
      ...tableLines(table),
    ]),
    ...drawings.flatMap(({ name, title }) => ["", `![${title}](plots/${name}.png)`]),
    ...["", "## How it was made", "", "```", command, "```", "", environment],
  ];
  return `${lines.join("\n")}\n`;
}

function tableLines({ head, rows, note }: Table): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
  return [
    line(head),
    `|${head.map(() => " --- ").join("|")}|`,
    ...rows.map(line),
    ...(note === undefined ? [] : ["", note]),
  ];
}

const escape = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
