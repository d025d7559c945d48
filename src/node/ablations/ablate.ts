import { join, relative } from "node:path";
import { availableParallelism, cpus } from "node:os";
import { PupilError } from "../../errors/index.js";
import { makeFolder, writeFileAtomic } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";
import { readJsonObject } from "../files/read-files.js";
import { lockRun } from "../runs/folder/run-lock.js";
import { versions } from "../runs/folder/versions.js";
import { type CellResult, readCell } from "./cell-results.js";
import type { AblationPlan, Cell } from "./planned.js";
import { writeReport } from "./report/report.js";
import {
  type AblationResults,
  ablationResults,
  type FailedCell,
  requireMetrics,
  type StoppedCell,
} from "./results.js";
import { runStages, type StageEngine, type StageEvent } from "./stages/run-stages.js";
import { readComputing } from "./stages/computing.js";
import { isFinished, type PlannedStage } from "./stages/stage.js";
import { stopWatch } from "./stages/stop-watch.js";
import type { Worker } from "./stages/workers.js";

/** Arms and seeds with their run folders. */
export const cellsFile = "cells.json";

export interface AblateOptions {
  readonly plan: AblationPlan;
  /** As it was typed, for the report. */
  readonly command: string;
  /** Stages that are made at once. Default: the cores. */
  readonly processes?: number | undefined;
  /** Makes stages in this process. Default: processes of their own, with one thread each. */
  readonly worker?: Worker | undefined;
  /** Makes them on a cluster. */
  readonly engine?: StageEngine | undefined;
  /** Whether the report has drawings. Default: true. */
  readonly drawings?: boolean | undefined;
  /** Aborts to end; with the reason `"cancel"` jobs of a cluster are cancelled, else they go on. */
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
    const { failed, stopped } = await makeAll(options, processes);
    const cells = await finishedCells(plan);
    requireMetrics(plan, cells);
    const results = ablationResults(plan, cells, failed, stopped);
    const computing = await computingLine(plan.stages);
    const about = { command, environment: environment(processes, computing, options.engine) };
    await writeReport(plan, results, cells, about, { drawings: options.drawings ?? true });
    return results;
  } finally {
    await lock.release();
  }
}

/** Makes the stages; returns the cells that have no result. */
async function makeAll(
  { plan, signal, report, worker, engine, command }: AblateOptions,
  processes: number,
): Promise<{ failed: FailedCell[]; stopped: StoppedCell[] }> {
  const failed: FailedCell[] = [];
  const stopped: StoppedCell[] = [];
  const checked = new AbortController();
  const stop = () => checked.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  let problem: unknown;
  const byId = new Map<string, Cell[]>();
  for (const cell of plan.cells) byId.set(cell.id, [...(byId.get(cell.id) ?? []), cell]);
  const measured = new Set<string>();
  await runStages(plan.stages, {
    ...{ folder: plan.folder, processes, worker, engine, command, signal: checked.signal },
    ...(plan.stop === undefined ? {} : { stop: stopWatch(plan.stop, plan.cells) }),
    report: (event) => {
      report(event);
      if (!("stage" in event)) return;
      const cells = byId.get(event.stage.id) ?? [];
      if (event.type === "stopped") {
        stopped.push(...cells.map(({ arm, seed }) => ({ arm, seed, ...event.at })));
      }
      if (event.type === "failed") {
        const { message } = event;
        failed.push(...cells.map(({ arm, seed }) => ({ arm, seed, message })));
      }
      const [cell] = cells;
      if (event.type !== "done" || cell === undefined || measured.has(cell.arm)) return;
      measured.add(cell.arm);
      // A measure that no run has is said after the first run of an arm, not after the last.
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
  return { failed, stopped };
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
  const placed = cells.map(({ arm, seed, id, chain }) => {
    return { arm, seed, id, folder: relative(folder, chain.at(-1)?.folder ?? "") };
  });
  await writeFileAtomic(join(folder, cellsFile), `${JSON.stringify(placed, null, 2)}\n`);
}

/** Writes the plan down before anything runs; more seeds of the same ablation may be added later. */
async function claimFolder(plan: AblationPlan): Promise<void> {
  const path = join(plan.folder, "ablation.json");
  const { name, baseline, claim, rule, configs, derived, stop } = plan;
  const arms = plan.arms.map(({ name: arm, changes }) => ({ name: arm, changes }));
  const frozen = JSON.parse(
    JSON.stringify({ name, baseline, claim, rule, derived, arms, configs, stop }),
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

/** What finished stages computed with: `wasm: AVX-512 (48), cpu (2)`. */
async function computingLine(stages: readonly PlannedStage[]): Promise<string> {
  const counts = new Map<string, number>();
  for (const stage of stages) {
    const { backend } = (await readComputing(stage)) ?? {};
    if (backend !== undefined) counts.set(backend, (counts.get(backend) ?? 0) + 1);
  }
  return [...counts].map(([backend, count]) => `${backend} (${count})`).join(", ");
}

function environment(
  processes: number,
  computing: string,
  engine: StageEngine | undefined,
): string {
  const [cpu] = cpus();
  const found = Object.entries(versions()).map(([name, version]) => `${name} ${version}`);
  const where =
    engine === undefined
      ? `${cpu?.model ?? "unknown processor"}, ${processes} runs at once with one thread each`
      : `Runs by ${engine.executor.name}`;
  const how = computing === "" ? "" : `; computed with ${computing}`;
  return `${where}${how}; ${found.join(", ")}.`;
}
