import { basename, join, resolve } from "node:path";
import { PupilError } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { differences } from "../runs/folder/differences.js";
import { readRunConfig, refuseOwnLoop, withoutVersions } from "../runs/folder/run-folder.js";
import { type CellResult, readRun } from "./cell-results.js";
import type { AblationPlan } from "./planned.js";
import { type AblationResults, ablationResults } from "./results.js";
import { readLog } from "../logs/log-file.js";
import { runCost } from "./stages/stage-cost.js";

type Config = Record<string, unknown>;

interface FoundRun {
  readonly folder: string;
  readonly config: Config;
}

/** Of runs that exist, what an ablation would say of them. */
export interface RunComparison {
  readonly plan: AblationPlan;
  readonly results: AblationResults;
  readonly cells: readonly CellResult[];
}

/** What may differ between runs of one arm: seed and name, and where they are written. */
const ofTheRun = ["seed", "name", "output", "backend", "checkpoint"];

/**
 * Compares finished runs: those whose configs differ in nothing but the seed are one arm, called by the fields
 * in which arms differ. The first run's arm is the baseline.
 *
 * @throws PupilError for a run that is unfinished, for two of one arm and seed, and where all are one arm
 */
export async function compareRuns(folders: readonly string[]): Promise<RunComparison> {
  const runs: FoundRun[] = [];
  for (const folder of folders) runs.push(await findRun(folder));
  const groups: FoundRun[][] = [];
  for (const run of runs) {
    const group = groups.find(([first]) => first !== undefined && isSame(first, run));
    if (group === undefined) groups.push([run]);
    else group.push(run);
  }
  if (groups.length < 2) {
    throw new PupilError(
      "the runs differ in nothing but their seeds: there is nothing to compare.",
      {
        field: folders.join(" "),
        remedy: "Name runs of two configs or more.",
      },
    );
  }
  const changed = changedFields(groups);
  const names = namesOf(groups.map(([first]) => nameOf(first as FoundRun, changed)));
  const cells: CellResult[] = [];
  for (const [i, group] of groups.entries()) {
    for (const run of group) cells.push(await cellOf(run, names[i] as string, cells));
  }
  const arms = names.map((name, i) => ({
    ...{ name, stages: [] },
    changes: changesOf((groups[i] as FoundRun[])[0] as FoundRun, changed),
  }));
  const plan: AblationPlan = {
    ...{ name: "comparison", folder: "", arms, baseline: names[0] as string },
    seeds: [...new Set(cells.map(({ seed }) => seed))],
    cells: [],
    ...{ stages: [], configs: {}, metrics: undefined, claim: undefined, rule: undefined },
  };
  return { plan, results: { ...resultsOf(plan, cells, folders), finished: true }, cells };
}

function resultsOf(plan: AblationPlan, cells: readonly CellResult[], folders: readonly string[]) {
  try {
    return ablationResults(plan, cells, []);
  } catch (cause) {
    if (!(cause instanceof PupilError) || cause.field !== "pairedDifference") throw cause;
    throw new PupilError(
      "the runs were measured on different problems, or on different numbers of them.",
      {
        field: folders.join(" "),
        remedy: "Compare runs with the same held-out data and evaluation.rows.",
        cause,
      },
    );
  }
}

async function findRun(folder: string): Promise<FoundRun> {
  const read = await readRunConfig(folder);
  refuseOwnLoop(folder, read);
  const config = withoutVersions(read) as Config;
  if (await exists(join(folder, "summary.json"))) return { folder, config };
  throw new PupilError("this run is not finished: it has no summary.", {
    field: folder,
    remedy: `Finish it with pupil train resume=${folder}, or leave it out.`,
  });
}

function changesBetween(a: FoundRun, b: FoundRun): string[] {
  return differences(a.config, b.config).filter(
    (path) => !ofTheRun.includes(path.split(".")[0] as string),
  );
}

const isSame = (a: FoundRun, b: FoundRun) => changesBetween(a, b).length === 0;

function changedFields(groups: readonly FoundRun[][]): string[] {
  const [first, ...others] = groups.map(([run]) => run as FoundRun);
  return [...new Set(others.flatMap((run) => changesBetween(first as FoundRun, run)))];
}

function changesOf({ config }: FoundRun, changed: readonly string[]): Config {
  return Object.fromEntries(changed.map((path) => [path, valueAt(config, path)]));
}

/** Few short changes are a name; of others the run's own is. */
function nameOf(run: FoundRun, changed: readonly string[]): string {
  const parts = Object.entries(changesOf(run, changed)).map(([path, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${path.split(".").at(-1)}=${text ?? "none"}`;
  });
  const name = parts.join(", ");
  return name.length <= 60 ? name : basename(resolve(run.folder));
}

function namesOf(names: readonly string[]): string[] {
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name} (${i + 1})`));
}

async function cellOf(
  { folder, config }: FoundRun,
  arm: string,
  others: readonly CellResult[],
): Promise<CellResult> {
  const seed = Number(config["seed"]);
  const twin = others.find((cell) => cell.arm === arm && cell.seed === seed);
  if (twin !== undefined) {
    throw new PupilError(`has config and seed of ${twin.folder}.`, {
      field: folder,
      remedy: "Leave one of the two out: the same run is no second one.",
    });
  }
  const { batchSize = 1 } = config["trainer"] as { batchSize?: number };
  const cost = runCost((await readLog(join(folder, "metrics.jsonl"))).rows, batchSize);
  return { ...(await readRun(folder)), arm, seed, cost };
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Config | undefined)?.[key], value);
}
