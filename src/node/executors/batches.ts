import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { readJson } from "../files/read-files.js";
import type { CellCommand } from "./executor.js";

/** Cells of one submit as the machines of an engine find them. */
export interface Batch {
  /** Working folder of every cell. */
  readonly cwd: string;
  readonly cellsPerTask: number;
  readonly cells: readonly CellCommand[];
}

/** Where a batch is written: beside the cells' own files, in a folder that all machines see. */
export function batchPath(jobs: string, key: string): string {
  return join(jobs, "batches", `${key}.json`);
}

export async function writeBatch(path: string, batch: Batch): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(batch));
}

export async function readBatch(path: string): Promise<Batch> {
  return (await readJson(path, "batch of cells")) as Batch;
}

/** The cells of a task of an array, which are run one after another. */
export function cellsOfTask({ cells, cellsPerTask }: Batch, task: number): readonly CellCommand[] {
  return cells.slice(task * cellsPerTask, (task + 1) * cellsPerTask);
}

export function taskOf(cell: number, cellsPerTask: number): number {
  return Math.floor(cell / cellsPerTask);
}

export function numTasks(cells: number, cellsPerTask: number): number {
  return Math.ceil(cells / cellsPerTask);
}
