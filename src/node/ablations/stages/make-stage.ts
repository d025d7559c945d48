import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { startBackend } from "../../../backend/index.js";
import type { RunConfig } from "../../../config/index.js";
import { makeFolder } from "../../files/atomic.js";
import { exists } from "../../files/file-exists.js";
import { nodePlatform } from "../../platform.js";
import { checkpointSteps } from "../../runs/folder/run-folder.js";
import { waitForLock } from "../../runs/folder/run-lock.js";
import { trainRun } from "../../runs/training/train-run.js";
import { makeChoice } from "./choose.js";
import type { Collector } from "./collector.js";
import { type Computing, computingOf } from "./computing.js";
import { isFinished, markFinished, type PlannedStage } from "./stage.js";

export interface MakeStageOptions {
  readonly signal: AbortSignal;
  readonly collector: Collector;
  /** Called with the optimizer steps that are done. */
  readonly onStep: (step: number) => void;
  /** Called once it is known what computes. */
  readonly onComputing?: (computing: Computing) => void;
}

/**
 * Makes a stage in this process. A run that was stopped continues, a collect begins again. Where another
 * process makes the same stage, for an ablation that shares the folder or for one whose runner was killed,
 * it is waited for, and what it has finished is taken.
 */
export async function makeStage(stage: PlannedStage, options: MakeStageOptions): Promise<void> {
  const { signal } = options;
  // Beside the folder: one that is begun again is removed as a whole.
  const folder = dirname(stage.folder);
  await makeFolder(folder);
  const lock = await waitForLock(folder, { name: `${basename(stage.folder)}.lock`, signal });
  try {
    if (signal.aborted || (await isFinished(stage))) return;
    const began = performance.now();
    let computing: Computing | undefined;
    await makeAlone(stage, {
      ...options,
      onComputing: (found) => {
        computing = found;
        options.onComputing?.(found);
      },
    });
    await markFinished(stage, (performance.now() - began) / 1000, computing);
  } finally {
    await lock?.release();
  }
}

async function makeAlone(stage: PlannedStage, options: MakeStageOptions): Promise<void> {
  const { signal, collector, onStep, onComputing } = options;
  const start = async (backend: RunConfig["backend"]) =>
    onComputing?.(computingOf(await startBackend(backend, { platform: nodePlatform })));
  if (stage.kind === "choose") return makeChoice(stage.config, stage.folder);
  if (stage.kind === "collect") {
    const { backend = "auto" } = stage.config as { backend?: RunConfig["backend"] };
    await start(backend);
    // Half of the rows are no part of the others: they are collected anew.
    await rm(stage.folder, { recursive: true, force: true });
    return collector.collect(stage.config, stage.folder, { signal });
  }
  const { config, folder: path } = stage;
  const resume = await findProgress(path, signal);
  if (signal.aborted) return;
  await start(config.backend);
  for await (const event of trainRun({ config, path, resume, signal })) {
    if (event.type === "step") onStep(event.metrics.step);
  }
}

/** Whether a run has a checkpoint to continue from. One without is removed: nothing is lost with it. */
async function findProgress(path: string, signal: AbortSignal): Promise<boolean> {
  if (!(await exists(path))) return false;
  const lock = await waitForLock(path, { signal });
  try {
    if ((await checkpointSteps(path)).length > 0) return true;
    if (lock !== undefined) await rm(path, { recursive: true });
    return false;
  } finally {
    await lock?.release();
  }
}
