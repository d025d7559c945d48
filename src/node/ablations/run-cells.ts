import { fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";
import type { CellMessage } from "./cell-process.js";
import type { Cell } from "./plan.js";

/** What happens while the cells of an ablation run. */
export type CellEvent =
  | { readonly type: "found"; readonly cell: Cell }
  | { readonly type: "started"; readonly cell: Cell }
  | { readonly type: "step"; readonly cell: Cell; readonly step: number }
  | { readonly type: "done"; readonly cell: Cell; readonly seconds: number }
  | { readonly type: "failed"; readonly cell: Cell; readonly message: string };

export interface RunCellsOptions {
  /** Cells that run at once, each with one thread. */
  readonly processes: number;
  readonly signal?: AbortSignal | undefined;
  readonly report: (event: CellEvent) => void;
}

/** The mark of a finished cell, with the hash of what it ran. */
const markName = "cell.json";

/** Whether this very cell has run to its end. */
export async function isFinished(cell: Cell): Promise<boolean> {
  const folder = folderOf(cell);
  return (await exists(join(folder, markName))) && (await exists(join(folder, "summary.json")));
}

export function folderOf({ config }: Cell): string {
  return join(config.output, config.name);
}

/**
 * Runs the cells that have not run yet, as many at once as there are processes. A cell that fails is
 * reported and does not stop the others. Ends early when the signal aborts; started cells then save
 * what they have, and continue when they are run again.
 */
export async function runCells(
  cells: readonly Cell[],
  { processes, signal, report }: RunCellsOptions,
): Promise<void> {
  const waiting: Cell[] = [];
  for (const cell of cells) {
    if (await isFinished(cell)) report({ type: "found", cell });
    else waiting.push(cell);
  }
  const work = async () => {
    for (;;) {
      const cell = signal?.aborted ? undefined : waiting.shift();
      if (cell === undefined) return;
      report({ type: "started", cell });
      const began = performance.now();
      const outcome = await inProcess(cell, signal, report);
      if (outcome.type === "failed") {
        if (!signal?.aborted) report({ type: "failed", cell, message: outcome.message });
        continue;
      }
      const seconds = (performance.now() - began) / 1000;
      if (!(await exists(join(folderOf(cell), "summary.json")))) continue;
      const mark = { arm: cell.arm, seed: cell.seed, id: cell.id };
      await writeFileAtomic(join(folderOf(cell), markName), `${JSON.stringify(mark)}\n`);
      report({ type: "done", cell, seconds });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, processes) }, work));
}

type Outcome = { readonly type: "done" } | { readonly type: "failed"; readonly message: string };

function inProcess(
  cell: Cell,
  signal: AbortSignal | undefined,
  report: RunCellsOptions["report"],
): Promise<Outcome> {
  // Beside this file, from sources as from dist.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = fileURLToPath(new URL(`./cell-process.${extension}`, import.meta.url));
  const child = fork(program, [], {
    env: { ...process.env, PUPIL_CELL: "1", PUPIL_THREADS: "1" },
    execArgv: process.execArgv,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString()}`.slice(-4000);
  });
  const stop = () => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop);
  return new Promise<Outcome>((resolve) => {
    let outcome: Outcome | undefined;
    child.on("message", (message: CellMessage) => {
      if (message.type === "ready") child.send({ config: cell.config });
      else if (message.type === "step") report({ ...message, cell });
      else outcome = message;
    });
    child.once("error", (error) => {
      outcome ??= { type: "failed", message: error.message };
    });
    child.once("close", (code, killedBy) => {
      signal?.removeEventListener("abort", stop);
      const how = killedBy === null ? `ended with code ${code}` : `was ended by ${killedBy}`;
      const message = [`The process ${how}.`, stderr.trim()].filter(Boolean).join("\n");
      resolve(outcome ?? { type: "failed", message });
    });
  });
}
