import { rm } from "node:fs/promises";
import { startBackend } from "../../../backend/index.js";
import type { RunConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import { exists } from "../../files/file-exists.js";
import { nodePlatform } from "../../platform.js";
import { checkpointSteps } from "../../runs/run-folder.js";
import { lockRun } from "../../runs/run-lock.js";
import { trainRun } from "../../runs/train-run.js";
import { makeChoice } from "./choose.js";
import type { Collector } from "./collector.js";
import type { StageTask } from "./stage.js";

export interface MakeStageOptions {
  readonly signal: AbortSignal;
  readonly collector: Collector;
  /** Called with the optimizer steps that are done. */
  readonly onStep: (step: number) => void;
}

/** Makes a stage in this process. A run that was stopped continues, a collect begins again. */
export async function makeStage(task: StageTask, options: MakeStageOptions): Promise<void> {
  const { signal, collector, onStep } = options;
  if (task.kind === "choose") return makeChoice(task.config, task.folder);
  if (task.kind === "collect") {
    const { backend = "auto" } = task.config as { backend?: RunConfig["backend"] };
    await startBackend(backend, { platform: nodePlatform });
    // Half of the rows are no part of the others: they are collected anew.
    await rm(task.folder, { recursive: true, force: true });
    return collector.collect(task.config, task.folder, { signal });
  }
  const { config, folder: path } = task;
  const resume = await findProgress(path);
  await startBackend(config.backend, { platform: nodePlatform });
  for await (const event of trainRun({ config, path, resume, signal })) {
    if (event.type === "step") onStep(event.metrics.step);
  }
}

/**
 * Whether a run has a checkpoint to continue from. One without is removed: nothing is lost with it. Waits
 * for a process whose runner was killed, which saves what it has before it ends.
 */
async function findProgress(path: string): Promise<boolean> {
  if (!(await exists(path))) return false;
  const lock = await lockOf(path);
  try {
    if ((await checkpointSteps(path)).length > 0) return true;
    await rm(path, { recursive: true });
    return false;
  } finally {
    await lock.release();
  }
}

const patienceMs = 30_000;

async function lockOf(path: string) {
  const began = performance.now();
  for (;;) {
    try {
      return await lockRun(path);
    } catch (error) {
      const isLate = performance.now() - began > patienceMs;
      if (isLate || !(error instanceof PupilError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
