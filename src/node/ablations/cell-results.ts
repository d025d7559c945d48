import { join } from "node:path";
import { exists } from "../files/file-exists.js";
import { withNumbers } from "../files/json.js";
import { readJson } from "../files/read-files.js";
import { readLog } from "../runs/run-log.js";
import type { Cell } from "./plan.js";
import { folderOf } from "./run-cells.js";

/** What a run cost, beside what it gained. */
export interface CellCost {
  readonly steps: number;
  /** Tokens that the losses counted. */
  readonly trainedTokens: number;
  /** Tokens that the student wrote. */
  readonly sampledTokens: number;
  /** Seconds of training, evaluations and saving left out. */
  readonly seconds: number;
}

export interface CurvePoint {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What a finished run left. */
export interface CellResult {
  readonly arm: string;
  readonly seed: number;
  readonly folder: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Of measures that are means over held-out problems: the value of each problem. */
  readonly problems: Readonly<Record<string, readonly number[]>>;
  readonly cost: CellCost;
  /** The evaluations in their order. */
  readonly curve: readonly CurvePoint[];
}

type Row = Readonly<Record<string, unknown>>;

/** Reads a finished run; measures that are infinite or not a number are there too. */
export async function readCell(cell: Cell): Promise<CellResult> {
  const folder = folderOf(cell);
  const summary = withNumbers(await readJson(join(folder, "summary.json"), "summary"));
  const rows = (await readLog(join(folder, "metrics.jsonl"))).filter((row) => !("warning" in row));
  const steps = rows.filter((row) => "terms" in row);
  const evaluations = rows.filter((row) => !("terms" in row));
  const { batchSize } = cell.config.trainer;
  const sampled = (row: Row) =>
    numberOf(row, "rolloutLength") * Math.round(numberOf(row, "onPolicyShare") * batchSize);
  return {
    ...{ arm: cell.arm, seed: cell.seed, folder },
    metrics: numbersOf((summary as { final: Row }).final),
    problems: await readProblems(folder),
    cost: {
      steps: steps.length,
      trainedTokens: sum(steps, (row) => numberOf(row, "tokens")),
      sampledTokens: Math.round(sum(steps, sampled)),
      seconds: sum(steps, (row) => numberOf(row, "elapsedMs")) / 1000,
    },
    curve: evaluations.map(({ step, ...row }) => ({ step, metrics: numbersOf(row) })),
  };
}

/** `problems.json`: which held-out problems the last evaluation found right. */
async function readProblems(folder: string): Promise<Record<string, number[]>> {
  const path = join(folder, "problems.json");
  if (!(await exists(path))) return {};
  const sets = (await readJson(path, "problems")) as Record<string, boolean[]>;
  const entries = Object.entries(sets).map(([name, correct]): [string, number[]] => [
    `${name}.accuracy`,
    correct.map(Number),
  ]);
  return Object.fromEntries(entries);
}

const numberOf = (row: Row, key: string) => (typeof row[key] === "number" ? row[key] : 0);

const sum = (rows: readonly Row[], value: (row: Row) => number) =>
  rows.reduce((total, row) => total + value(row), 0);

function numbersOf(row: Row): Record<string, number> {
  const entries = Object.entries(row).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(entries) as Record<string, number>;
}
