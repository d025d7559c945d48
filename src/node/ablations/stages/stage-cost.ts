import { join } from "node:path";
import { readJsonObject } from "../../files/read-files.js";
import type { LogRow, Values } from "../../../trainers/index.js";
import { readLog } from "../../logs/log-file.js";
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
    const { rows } = await readLog(join(stage.folder, "metrics.jsonl"));
    return runCost(rows, stage.config.trainer.batchSize);
  }
  if (stage.kind === "choose") return noCellCost;
  const { cost } = await readJsonObject(join(stage.folder, "collect.json"), "collection");
  const mark = await readJsonObject(join(stage.folder, stage.mark), "mark of the stage");
  return {
    ...noCellCost,
    ...sampling((cost ?? {}) as LogEntry),
    seconds: numberOf(mark, "seconds"),
  };
}

/** What the steps of a run cost. */
export function runCost(rows: readonly LogRow[], batchSize: number): CellCost {
  return combineCosts(
    rows.flatMap((row) => {
      if (row.type !== "step") return [];
      const { values } = row;
      const sampled =
        "cost.studentTokens" in values
          ? sampling(values, "cost.")
          : { sampledTokens: sampledIn(values, batchSize) };
      const trainedTokens = numberOf(values, "tokens");
      const seconds = numberOf(values, "elapsedMs") / 1000;
      return [{ ...noCellCost, steps: 1, trainedTokens, seconds, ...sampled }];
    }),
  );
}

function sampling(cost: LogEntry, prefix = "") {
  return {
    sampledTokens: numberOf(cost, `${prefix}studentTokens`),
    teacherTokens: numberOf(cost, `${prefix}teacherTokens`),
    studentForwards: numberOf(cost, `${prefix}studentForwards`),
    teacherForwards: numberOf(cost, `${prefix}teacherForwards`),
  };
}

/** Of logs that have no cost: what was written, by the mean length. */
function sampledIn(row: Values, batchSize: number): number {
  const rows = Math.round(numberOf(row, "onPolicyShare") * batchSize);
  return Math.round(numberOf(row, "rolloutLength") * rows);
}

const numberOf = (row: LogEntry, key: string) => (typeof row[key] === "number" ? row[key] : 0);
