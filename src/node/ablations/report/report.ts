import { writeFileAtomic } from "../../files/atomic.js";
import { join } from "node:path";
import { toJson } from "../../files/json.js";
import type { CellResult } from "../cell-results.js";
import type { AblationPlan } from "../plan.js";
import type { AblationResults } from "../results.js";
import type { Report } from "./content.js";
import { htmlReport } from "./html.js";
import { markdownReport } from "./markdown.js";
import { armValues, type Drawing, gainAgainstCost, learningCurve, pngOf } from "./plots.js";
import { changesTable, costTable, meansTable, pairedTable, runsTable } from "./tables.js";

/** Writes results.json, report.md, report.html and the drawings as SVG and PNG into a folder. */
export async function writeReport(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
  about: Pick<Report, "command" | "environment">,
): Promise<void> {
  const tables = [
    ...[meansTable(results), pairedTable(results), costTable(results), changesTable(plan)],
    runsTable(cells, results),
  ];
  const drawings = drawingsOf(plan, results, cells);
  const report: Report = { plan, results, tables, drawings, ...about };
  const files: [string, string | Uint8Array][] = [
    ["results.json", `${toJson(results, 2)}\n`],
    ...drawings.flatMap((drawing): [string, string | Uint8Array][] => [
      [`plots/${drawing.name}.svg`, drawing.svg],
      [`plots/${drawing.name}.png`, pngOf(drawing)],
    ]),
    ["report.md", markdownReport(report)],
    ["report.html", htmlReport(report)],
  ];
  for (const [name, content] of files) await writeFileAtomic(join(plan.folder, name), content);
}

/** Of each measure the arms and its curve, of the first one the cost; claimed ones come first. */
function drawingsOf(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
): Drawing[] {
  const arms = plan.arms.map(({ name }) => name);
  const known = new Set(Object.values(results.arms).flatMap((found) => Object.keys(found)));
  const claimed = plan.claim?.comparisons.map(({ metric }) => metric) ?? [];
  const ordered = [...new Set([...claimed, ...known])].filter((metric) => known.has(metric));
  return ordered
    .flatMap((metric, i) => [
      armValues(metric, results),
      learningCurve(metric, cells, arms),
      i === 0 ? gainAgainstCost(metric, cells, arms) : undefined,
    ])
    .filter((drawing) => drawing !== undefined);
}
