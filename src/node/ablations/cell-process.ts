/** One cell of an ablation in a process of its own: gets its run by message, says how far it is. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startBackend } from "../../backend/index.js";
import type { RunConfig } from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { nodePlatform } from "../platform.js";
import { checkpointSteps } from "../runs/run-folder.js";
import { trainRun } from "../runs/train-run.js";

/** What the runner asks for. */
export interface CellTask {
  readonly config: RunConfig;
}

/** What a cell says. */
export type CellMessage =
  | { readonly type: "ready" }
  | { readonly type: "step"; readonly step: number }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

const say = (message: CellMessage) => process.send?.(message);

/** Runs a cell to its end; continues one that was stopped. */
export async function runCell({ config }: CellTask, signal: AbortSignal): Promise<void> {
  const path = join(config.output, config.name);
  // Nothing is lost with a run that was stopped before its first checkpoint.
  const resume = (await checkpointSteps(path)).length > 0;
  if (!resume && (await exists(path))) await rm(path, { recursive: true });
  await startBackend(config.backend, { platform: nodePlatform });
  let said = 0;
  for await (const event of trainRun({ config, path, resume, signal })) {
    if (event.type !== "step" || performance.now() - said < 200) continue;
    said = performance.now();
    say({ type: "step", step: event.metrics.step });
  }
}

if (process.send !== undefined && process.env["PUPIL_CELL"] === "1") {
  const stop = new AbortController();
  // The runner was killed: end after this step, with a checkpoint.
  process.on("disconnect", () => stop.abort());
  process.on("SIGTERM", () => stop.abort());
  process.on("SIGINT", () => undefined);
  process.once("message", (task: CellTask) => {
    runCell(task, stop.signal)
      .then(() => say({ type: "done" }))
      .catch((error: unknown) => {
        const isExpected = error instanceof PupilError;
        const message = isExpected ? error.message : String((error as Error)?.stack ?? error);
        say({ type: "failed", message });
      })
      .finally(() => process.disconnect?.());
  });
  say({ type: "ready" });
}
