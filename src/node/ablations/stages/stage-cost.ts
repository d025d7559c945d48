import { join } from "node:path";
import { readJson } from "../../files/read-files.js";
import { readLog } from "../../runs/run-log.js";
import type { PlannedStage } from "./stage.js";

/** What was paid for a result: sums over all stages that it takes, shared ones included. */
export interface CellCost {
  readonly steps: number;
  /** Tokens that the losses counted. */
  readonly trainedTokens: number;
  /** Tokens that the student wrote. */
  readonly sampledTokens: number;
  /** Tokens that a teacher wrote or scored, where that was counted. */
  readonly teacherTokens: number;
  /** Forward passes of rows for sampling and scoring, where they were counted. */
  readonly studentForwards: number;
  readonly teacherForwards: number;
  /** Seconds of training and collecting; evaluations and saving left out. */
  readonly seconds: number;
}

export const noCellCost: CellCost = {
  ...{ steps: 0, trainedTokens: 0, sampledTokens: 0, teacherTokens: 0 },
  ...{ studentForwards: 0, teacherForwards: 0, seconds: 0 },
};

/** The sum, or with a function what it makes of the values of each field. */
export function combineCosts(
  costs: readonly CellCost[],
  combine = (values: readonly number[]) => values.reduce((total, value) => total + value, 0),
): CellCost {
  const keys = Object.keys(noCellCost) as (keyof CellCost)[];
  const entries = keys.map((key) => [key, combine(costs.map((cost) => cost[key]))] as const);
  return Object.fromEntries(entries) as unknown as CellCost;
}

/** A row of a log. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** What a finished stage cost. */
export async function readCost(stage: PlannedStage): Promise<CellCost> {
  if (stage.kind === "run") {
    const rows = await readLog(join(stage.folder, "metrics.jsonl"));
    return runCost(rows, stage.config.trainer.batchSize);
  }
  if (stage.kind === "choose") return noCellCost;
  const { cost = {} } = (await readJson(join(stage.folder, "collect.json"))) as { cost?: LogEntry };
  const mark = (await readJson(join(stage.folder, stage.mark))) as LogEntry;
  return { ...noCellCost, ...sampling(cost), seconds: numberOf(mark, "seconds") };
}

/** What the steps of a run cost. */
export function runCost(rows: readonly LogEntry[], batchSize: number): CellCost {
  const steps = rows.filter((row) => "terms" in row);
  return combineCosts(
    steps.map((row) => ({
      ...noCellCost,
      steps: 1,
      trainedTokens: numberOf(row, "tokens"),
      seconds: numberOf(row, "elapsedMs") / 1000,
      ...(isRow(row["cost"])
        ? sampling(row["cost"])
        : { sampledTokens: sampledIn(row, batchSize) }),
    })),
  );
}

function sampling(cost: LogEntry) {
  return {
    sampledTokens: numberOf(cost, "studentTokens"),
    teacherTokens: numberOf(cost, "teacherTokens"),
    studentForwards: numberOf(cost, "studentForwards"),
    teacherForwards: numberOf(cost, "teacherForwards"),
  };
}

/** Of logs that have no cost: what was written, by the mean length. */
function sampledIn(row: LogEntry, batchSize: number): number {
  const rows = Math.round(numberOf(row, "onPolicyShare") * batchSize);
  return Math.round(numberOf(row, "rolloutLength") * rows);
}

const isRow = (value: unknown): value is LogEntry => typeof value === "object" && value !== null;
const numberOf = (row: LogEntry, key: string) => (typeof row[key] === "number" ? row[key] : 0);
