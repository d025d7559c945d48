import { join, relative } from "node:path";
import { availableParallelism, cpus } from "node:os";
import { PupilError } from "../../errors/index.js";
import { makeFolder, writeFileAtomic } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";
import { readJsonObject } from "../files/read-files.js";
import { lockRun } from "../runs/run-lock.js";
import { versions } from "../runs/versions.js";
import { type CellResult, readCell } from "./cell-results.js";
import type { AblationPlan } from "./planned.js";
import { writeReport } from "./report/report.js";
import {
  type AblationResults,
  ablationResults,
  type FailedCell,
  requireMetrics,
} from "./results.js";
import { runStages, type StageEvent } from "./stages/run-stages.js";
import { isFinished } from "./stages/stage.js";
import { inOwnProcess, type Worker } from "./stages/workers.js";

/** Arms and seeds with their run folders. */
export const cellsFile = "cells.json";

export interface AblateOptions {
  readonly plan: AblationPlan;
  /** As it was typed, for the report. */
  readonly command: string;
  /** Stages that are made at once. Default: the cores. */
  readonly processes?: number | undefined;
  /** Who makes stages. Default: processes of their own, with one thread each. */
  readonly worker?: Worker | undefined;
  /** Whether the report has drawings. Default: true. */
  readonly drawings?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report: (event: StageEvent) => void;
}

/**
 * Makes what is left of an ablation and writes its report. Stopped or killed, it continues where it
 * was when called again; finished stages are never made twice.
 *
 * @throws PupilError if the folder holds another ablation, or another process is at work there
 */
export async function ablate(options: AblateOptions): Promise<AblationResults> {
  const { plan, command } = options;
  await makeFolder(plan.folder);
  const lock = await lockRun(plan.folder, "running the ablation of this folder");
  try {
    await claimFolder(plan);
    await writeCells(plan);
    const processes = options.processes ?? Math.min(availableParallelism(), plan.stages.length);
    const failed = await makeAll(options, processes);
    const cells = await finishedCells(plan);
    requireMetrics(plan, cells);
    const results = ablationResults(plan, cells, failed);
    const about = { command, environment: environment(processes) };
    await writeReport(plan, results, cells, about, { drawings: options.drawings ?? true });
    return results;
  } finally {
    await lock.release();
  }
}

/** Makes the stages; returns the cells that failed. */
async function makeAll(
  { plan, signal, report, worker = inOwnProcess }: AblateOptions,
  processes: number,
): Promise<FailedCell[]> {
  const failed: FailedCell[] = [];
  const checked = new AbortController();
  const stop = () => checked.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  let problem: unknown;
  const cellsOf = (id: string) => plan.cells.filter((cell) => cell.id === id);
  await runStages(plan.stages, {
    ...{ processes, worker, signal: checked.signal },
    report: (event) => {
      report(event);
      const cells = cellsOf(event.stage.id);
      if (event.type === "failed") {
        const { message } = event;
        failed.push(...cells.map(({ arm, seed }) => ({ arm, seed, message })));
      }
      const [cell] = cells;
      if (event.type !== "done" || cell === undefined) return;
      // A measure that no run has is said after the first run, not after the last.
      readCell(cell, plan.derived)
        .then((result) => requireMetrics(plan, [result]))
        .catch((error: unknown) => {
          problem ??= error;
          stop();
        });
    },
  });
  signal?.removeEventListener("abort", stop);
  if (problem !== undefined) throw problem;
  return failed;
}

async function finishedCells(plan: AblationPlan): Promise<CellResult[]> {
  const found: CellResult[] = [];
  for (const cell of plan.cells) {
    const stages = await Promise.all(cell.chain.map(isFinished));
    if (stages.every(Boolean)) found.push(await readCell(cell, plan.derived));
  }
  return found;
}

/** What runs where, for who watches: `cells.json`, with folders relative to that of the ablation. */
async function writeCells({ folder, cells }: AblationPlan): Promise<void> {
  const placed = cells.map(({ arm, seed, chain }) => {
    return { arm, seed, folder: relative(folder, chain.at(-1)?.folder ?? "") };
  });
  await writeFileAtomic(join(folder, cellsFile), `${JSON.stringify(placed, null, 2)}\n`);
}

/** Writes the plan down before anything runs; more seeds of the same ablation may be added later. */
async function claimFolder(plan: AblationPlan): Promise<void> {
  const path = join(plan.folder, "ablation.json");
  const { name, baseline, claim, rule, configs, derived } = plan;
  const arms = plan.arms.map(({ name: arm, changes }) => ({ name: arm, changes }));
  const frozen = JSON.parse(
    JSON.stringify({ name, baseline, claim, rule, derived, arms, configs }),
  ) as object;
  if (await exists(path)) {
    const {
      seeds: _seeds,
      versions: _versions,
      ...stored
    } = await readJsonObject(path, "ablation");
    if (JSON.stringify(stored) !== JSON.stringify(frozen)) {
      throw new PupilError(
        "This folder holds another ablation, or this one before it was changed.",
        {
          field: plan.folder,
          remedy: "Give another folder with output=<folder>, or delete this one.",
        },
      );
    }
  }
  const text = JSON.stringify({ ...frozen, seeds: plan.seeds, versions: versions() }, null, 2);
  await writeFileAtomic(path, `${text}\n`);
}

function environment(processes: number): string {
  const [cpu] = cpus();
  const found = Object.entries(versions()).map(([name, version]) => `${name} ${version}`);
  return `${cpu?.model ?? "unknown processor"}, ${processes} runs at once with one thread each; ${found.join(", ")}.`;
}
