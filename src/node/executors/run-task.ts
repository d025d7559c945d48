/**
 * The cells of one task of an engine, one after another: `node run-task.js <batch file> <task>`. A cell that fails
 * stops no other. SIGTERM goes to the cell that runs, and no other begins.
 */
import { spawn } from "node:child_process";
import { cellsOfTask, readBatch } from "./batches.js";
import type { CellCommand } from "./executor.js";

const [path = "", task = "0"] = process.argv.slice(2);

let stop: NodeJS.Signals | undefined;
let current: ReturnType<typeof spawn> | undefined;
for (const signal of ["SIGTERM", "SIGINT", "SIGUSR1"] as const) {
  process.on(signal, () => {
    stop ??= signal;
    current?.kill("SIGTERM");
  });
}

function runCell({ command: [program = "", ...words] }: CellCommand, cwd: string): Promise<number> {
  return new Promise((resolve) => {
    current = spawn(program, words, { cwd, stdio: ["ignore", "inherit", "inherit"] });
    current.once("error", (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      resolve(127);
    });
    current.once("close", (code) => resolve(code ?? 1));
  });
}

const batch = await readBatch(path);
let worst = 0;
for (const cell of cellsOfTask(batch, Number(task))) {
  if (stop !== undefined) break;
  worst = Math.max(worst, await runCell(cell, batch.cwd));
}
process.exitCode = stop === undefined ? worst : 75;
