import { join } from "node:path";
import type { DerivedMeasures } from "../../config/index.js";
import { areaUnderCurve } from "../../statistics/index.js";
import type { LogRow } from "../../trainers/index.js";
import { exists } from "../files/file-exists.js";
import { withNumbers } from "../files/json.js";
import { readJsonObject } from "../files/read-files.js";
import { readLog } from "../logs/log-file.js";
import type { Cell } from "./planned.js";
import { readChoices } from "./stages/choose.js";
import type { PlannedStage } from "./stages/stage.js";
import { type CellCost, combineCosts, type LogEntry, readCost } from "./stages/stage-cost.js";

export interface CurvePoint {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What a finished run left. */
export interface RunResult {
  readonly folder: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Of measures that are means over held-out problems: the value of each problem. */
  readonly problems: Readonly<Record<string, readonly number[]>>;
  /** The evaluations in their order. */
  readonly curve: readonly CurvePoint[];
  /** What it warned of; of a chain of stages all that they did. */
  readonly warnings: readonly string[];
}

/** What a finished arm left with one seed. */
export interface CellResult extends RunResult {
  readonly arm: string;
  readonly seed: number;
  readonly cost: CellCost;
}

/**
 * Reads a finished cell: the measures of its last stage, those of what was collected on the way as
 * `<stage>.<measure>`, what a choice went by as `<stage>.<candidate>`, the cost of all stages.
 */
export async function readCell(cell: Cell, derived: DerivedMeasures = {}): Promise<CellResult> {
  const last = cell.chain.at(-1);
  const result = await readRun(last?.folder ?? "");
  const earlier = await Promise.all(cell.chain.slice(0, -1).map(warningsOf));
  const costs = await Promise.all(cell.chain.map(readCost));
  const collected = await Promise.all(cell.chain.map(collectedMeasures));
  const chosen = (await readChoices(cell.chain)).map(({ stage, scores }) => ofStage(stage, scores));
  return {
    ...result,
    metrics: {
      ...result.metrics,
      ...ofCurve(result.curve, derived),
      ...Object.fromEntries([...collected, ...chosen].flat()),
    },
    ...{ arm: cell.arm, seed: cell.seed, cost: combineCosts(costs) },
    warnings: [...earlier.flat(), ...result.warnings],
  };
}

async function warningsOf({ kind, name, folder }: PlannedStage): Promise<string[]> {
  if (kind !== "run") return [];
  const { rows } = await readLog(join(folder, "metrics.jsonl"));
  return warningsIn(rows).map((warning) => `${name}: ${warning}`);
}

function warningsIn(rows: readonly LogRow[]): string[] {
  return rows.flatMap((row) =>
    row.type === "warning" ? [`${row.message} ${row.remedy}`.trim()] : [],
  );
}

async function collectedMeasures({ kind, name, folder }: PlannedStage) {
  if (kind !== "collect") return [];
  const summary = withNumbers(await readJsonObject(join(folder, "collect.json"), "collection"));
  return ofStage({ name }, numbersOf((summary as LogEntry)["measures"]));
}

/** Measures of a stage on the way, under its name. */
function ofStage({ name }: Pick<PlannedStage, "name">, measures: Readonly<Record<string, number>>) {
  return Object.entries(measures).map(([key, value]) => [`${name}.${key}`, value] as const);
}

/** Reads what a finished run measured; measures that are infinite or not a number are there too. */
export async function readRun(folder: string): Promise<RunResult> {
  const summary = withNumbers(await readJsonObject(join(folder, "summary.json"), "summary"));
  const { rows } = await readLog(join(folder, "metrics.jsonl"));
  return {
    folder,
    metrics: numbersOf((summary as LogEntry)["final"]),
    problems: await readProblems(folder),
    curve: rows.flatMap((row) =>
      row.type === "evaluation" ? [{ step: row.step, metrics: row.values }] : [],
    ),
    warnings: warningsIn(rows),
  };
}

/** Derived measures of a single run. */
function ofCurve(curve: readonly CurvePoint[], derived: DerivedMeasures): Record<string, number> {
  const found = Object.entries(derived).flatMap(([name, measure]): [string, number][] => {
    if (measure.type !== "area-under-curve") return [];
    const points = curve.flatMap(({ step, metrics }) => {
      const y = metrics[measure.metric];
      return y === undefined ? [] : [{ x: step, y }];
    });
    return points.length === 0 ? [] : [[name, areaUnderCurve(points)]];
  });
  return Object.fromEntries(found);
}

/** `problems.json`: which held-out problems the last evaluation found right. */
async function readProblems(folder: string): Promise<Record<string, number[]>> {
  const path = join(folder, "problems.json");
  if (!(await exists(path))) return {};
  const sets = Object.entries(await readJsonObject(path, "problems"));
  return Object.fromEntries(
    sets.flatMap(([name, correct]): [string, number[]][] =>
      Array.isArray(correct) ? [[`${name}.accuracy`, correct.map(Number)]] : [],
    ),
  );
}

/** The numbers among the fields of an object; none of what is no object. */
function numbersOf(row: unknown): Record<string, number> {
  const entries = Object.entries(row ?? {}).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(entries) as Record<string, number>;
}
