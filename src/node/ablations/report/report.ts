import { writeFileAtomic } from "../../files/atomic.js";
import { PupilError } from "../../../errors/index.js";
import { join, relative, sep } from "node:path";
import { exists } from "../../files/file-exists.js";
import { writeRunReport } from "../../pages/write-run-report.js";
import { toJson } from "../../files/json.js";
import type { CellResult } from "../cell-results.js";
import type { AblationPlan } from "../planned.js";
import type { AblationResults } from "../results.js";
import type { Report } from "./content.js";
import { htmlReport } from "./html.js";
import { markdownReport } from "./markdown.js";
import { readChoices, type StageChoice } from "../stages/choose.js";
import { chainTable, choicesTable, settingsTable, stagesTable } from "./stage-tables.js";
import { failuresTable, stoppedTable, warningsTable } from "./trouble-tables.js";
import {
  changesTable,
  claimTable,
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
  // Loaded where something is drawn: the libraries take half as long to load as all the rest.
  const drawn = options.drawings ? await import("./drawings.js") : undefined;
  const drawings = drawn?.drawingsOf(plan, results, cells) ?? [];
  const summary = withRows(results.verdict === undefined ? [] : [claimTable(results.verdict)]);
  const report: Report = { plan, results, summary, tables, drawings, ...about };
  const files: [string, string | Uint8Array][] = [
    ["results.json", `${toJson(results, 2)}\n`],
    ...(drawn?.drawingFiles(drawings) ?? []),
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
  return withRows([
    ...[meansTable(results), pairedTable(results)],
    ...(results.derived === undefined ? [] : [derivedTable(results.derived, plan)]),
    ...[failuresTable(results), stoppedTable(results), warningsTable(cells)],
    ...[costTable(results, !isPlain), choicesTable(choices)],
    ...(isPlain ? [changesTable(plan)] : [chainTable(plan), stagesTable(plan)]),
    ...(about === undefined ? [] : [settingsTable(about.settings)]),
    runsTable(cells, results, links),
  ]);
}

/** A head without rows tells nothing: what is missing is said with the verdict. */
function withRows(tables: readonly Table[]): Table[] {
  return tables.filter(({ rows }) => rows.length > 0);
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
