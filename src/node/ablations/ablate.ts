import { join } from "node:path";
import { availableParallelism, cpus } from "node:os";
import { PupilError } from "../../errors/index.js";
import { makeFolder, writeFileAtomic } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";
import { versions } from "../runs/versions.js";
import { type CellResult, readCell } from "./cell-results.js";
import type { AblationPlan } from "./plan.js";
import { writeReport } from "./report/report.js";
import {
  type AblationResults,
  ablationResults,
  type FailedCell,
  requireMetrics,
} from "./results.js";
import { type CellEvent, isFinished, runCells } from "./run-cells.js";

export interface AblateOptions {
  readonly plan: AblationPlan;
  /** As it was typed, for the report. */
  readonly command: string;
  /** Runs at once. Default: the cores. */
  readonly processes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report: (event: CellEvent) => void;
}

/**
 * Runs what is left of an ablation and writes its report. Stopped or killed, it continues where it
 * was when called again; finished runs are never run twice.
 *
 * @throws PupilError if the folder holds another ablation
 */
export async function ablate(options: AblateOptions): Promise<AblationResults> {
  const { plan, signal, report, command } = options;
  await claimFolder(plan);
  const failed: FailedCell[] = [];
  const checked = new AbortController();
  const stop = () => checked.abort();
  signal?.addEventListener("abort", stop);
  let problem: unknown;
  const processes = options.processes ?? Math.min(availableParallelism(), plan.cells.length);
  await runCells(plan.cells, {
    processes,
    signal: checked.signal,
    report: (event) => {
      report(event);
      if (event.type === "failed") failed.push({ ...event.cell, message: event.message });
      if (event.type !== "done") return;
      // A measure that no run has is said after the first run, not after the last.
      readCell(event.cell)
        .then((result) => requireMetrics(plan, [result]))
        .catch((error: unknown) => {
          problem ??= error;
          stop();
        });
    },
  });
  signal?.removeEventListener("abort", stop);
  if (problem !== undefined) throw problem;
  const cells = await finishedCells(plan);
  requireMetrics(plan, cells);
  const results = ablationResults(plan, cells, failed);
  await writeReport(plan, results, cells, { command, environment: environment(processes) });
  return results;
}

async function finishedCells(plan: AblationPlan): Promise<CellResult[]> {
  const found: CellResult[] = [];
  for (const cell of plan.cells) if (await isFinished(cell)) found.push(await readCell(cell));
  return found;
}

/** Writes the plan down before anything runs; more seeds of the same ablation may be added later. */
async function claimFolder(plan: AblationPlan): Promise<void> {
  const path = join(plan.folder, "ablation.json");
  const { name, arms, baseline, claim, rule, cells } = plan;
  const configs = Object.fromEntries(
    cells.map(({ arm, config: { seed: _seed, name: _name, ...config } }) => [arm, config]),
  );
  const frozen = JSON.parse(
    JSON.stringify({ name, baseline, claim, rule, arms, configs }),
  ) as object;
  if (await exists(path)) {
    const {
      seeds: _seeds,
      versions: _versions,
      ...stored
    } = (await readJson(path, "ablation")) as Record<string, unknown>;
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
  await makeFolder(plan.folder);
  const text = JSON.stringify({ ...frozen, seeds: plan.seeds, versions: versions() }, null, 2);
  await writeFileAtomic(path, `${text}\n`);
}

function environment(processes: number): string {
  const [cpu] = cpus();
  const found = Object.entries(versions()).map(([name, version]) => `${name} ${version}`);
  return `${cpu?.model ?? "unknown processor"}, ${processes} runs at once with one thread each; ${found.join(", ")}.`;
}
