import { writeFileAtomic } from "../../files/atomic.js";
import { PupilError } from "../../../errors/index.js";
import { join, relative, sep } from "node:path";
import { exists } from "../../files/file-exists.js";
import { writeRunReport } from "../../pages/report.js";
import { toJson } from "../../files/json.js";
import type { CellResult } from "../cell-results.js";
import type { AblationPlan } from "../planned.js";
import type { AblationResults } from "../results.js";
import type { Report } from "./content.js";
import { htmlReport } from "./html.js";
import { markdownReport } from "./markdown.js";
import { armValues, type Drawing, gainAgainstCost, learningCurve, pngOf } from "./plots.js";
import { readChoices, type StageChoice } from "../stages/choose.js";
import { chainTable, choicesTable, settingsTable, stagesTable } from "./stage-tables.js";
import {
  changesTable,
  costTable,
  derivedTable,
  meansTable,
  pairedTable,
  runsTable,
  type Table,
} from "./tables.js";

type Links = NonNullable<Table["links"]>;

/** Writes results.json, report.md, report.html and the drawings as SVG and PNG into a folder. */
export async function writeReport(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
  about: Pick<Report, "command" | "environment">,
  options: { readonly drawings: boolean },
): Promise<void> {
  const links = options.drawings ? await linksToReports(plan.folder, cells) : [];
  const tables = tablesOf(plan, results, cells, await readChoices(plan.stages), links);
  const drawings = options.drawings ? drawingsOf(plan, results, cells) : [];
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

/** What is printed of runs that are compared. */
export function comparisonTables(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
): Table[] {
  const tables = [meansTable(results), pairedTable(results), costTable(results)];
  return [...tables, changesTable(plan), runsTable(cells, results)];
}

function tablesOf(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
  choices: readonly StageChoice[],
  links: Links,
): Table[] {
  const { about, stages } = plan;
  const isPlain = stages.every(({ mark }) => mark === "cell.json");
  return [
    ...[meansTable(results), pairedTable(results)],
    ...(results.derived === undefined ? [] : [derivedTable(results.derived, plan)]),
    costTable(results, !isPlain),
    ...(choices.length === 0 ? [] : [choicesTable(choices)]),
    ...(isPlain ? [changesTable(plan)] : [chainTable(plan), stagesTable(plan)]),
    ...(about === undefined ? [] : [settingsTable(about.settings)]),
    runsTable(cells, results, links),
  ];
}

/** The reports of the runs, made where they are missing; finished runs do not change. */
async function linksToReports(folder: string, cells: readonly CellResult[]): Promise<Links> {
  const links: (string | undefined)[] = [];
  for (const cell of cells) {
    const path = join(cell.folder, "report.html");
    links.push((await hasReport(cell.folder, path)) ? urlOf(relative(folder, path)) : undefined);
  }
  return links;
}

/** What a run has no report of, such as one whose config was removed, is no reason to have none of the others. */
async function hasReport(folder: string, path: string): Promise<boolean> {
  try {
    if (!(await exists(path))) await writeRunReport([folder], path);
    return true;
  } catch (error) {
    if (error instanceof PupilError) return false;
    throw error;
  }
}

const urlOf = (path: string) => path.split(sep).map(encodeURIComponent).join("/");

/** Of each measure the arms and its curve, of the first one the cost; claimed ones come first. */
function drawingsOf(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
): Drawing[] {
  const arms = plan.arms.map(({ name }) => name);
  const known = new Set(Object.values(results.arms).flatMap((found) => Object.keys(found)));
  const claimed =
    plan.claim?.comparisons.flatMap((part) => ("derived" in part ? [] : part.metric)) ?? [];
  const ordered = [...new Set([...claimed, ...known])].filter((metric) => known.has(metric));
  return ordered
    .flatMap((metric, i) => [
      armValues(metric, results),
      learningCurve(metric, cells, arms),
      i === 0 ? gainAgainstCost(metric, cells, arms) : undefined,
    ])
    .filter((drawing) => drawing !== undefined);
}
