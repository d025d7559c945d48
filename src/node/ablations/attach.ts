import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PupilError } from "../../errors/index.js";
import { createExecutor } from "../executors/create-executor.js";
import { type Executor, type JobState, pause } from "../executors/executor.js";
import { executorSchema } from "../executors/fields.js";
import {
  Journal,
  journalFile,
  type JournalRow,
  type JournalState,
  parseJournalRow,
  readJournal,
} from "../executors/journal.js";
import { exists } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";
import { isLocked } from "../runs/folder/run-lock.js";
import { cellsFile } from "./ablate.js";
import { jobsFolder } from "./stages/run-stages.js";

/** What is seen of an ablation from outside of the process that runs it. */
export type AttachEvent =
  | {
      readonly type: "begin";
      readonly executor: string;
      readonly command: string;
      readonly cells: number;
      readonly done: number;
      /** Whether a process runs it now. */
      readonly isRunning: boolean;
    }
  | {
      readonly type: "job";
      readonly label: string;
      readonly job: string;
      /** As the engine sees it; undefined where it cannot be asked from here. */
      readonly state: JobState | undefined;
    }
  | { readonly type: "row"; readonly row: JournalRow; readonly labels: readonly string[] }
  | { readonly type: "end"; readonly why: "closed" | "left" | "gone" };

/** How often a journal is looked at. */
const lookMs = 500;

/**
 * Follows an ablation that a process runs, until it ends or the signal aborts; it only reads. Of one that nobody runs, it
 * says where the engine sees the jobs that were left.
 *
 * @throws PupilError for a folder in which no ablation has run
 */
export async function attach(
  folder: string,
  {
    signal,
    report,
  }: { readonly signal: AbortSignal; readonly report: (event: AttachEvent) => void },
): Promise<void> {
  const { runner, state } = await stateOf(folder);
  const labelOf = await labelsOf(folder);
  const isRunning = await isLocked(folder);
  const reader = journalReader(join(folder, journalFile));
  const earlier = await reader.next();
  const done = new Set<string>();
  for (const row of earlier) if (row.type === "ended" && row.how === "done") done.add(row.cell);
  const { executor, command, cells } = runner;
  report({ type: "begin", executor, command, cells, done: done.size, isRunning });
  // Processes of this machine ended with the one that had started them.
  const jobs = executor === "local" && !isRunning ? [] : [...state.inFlight];
  const states = await statesOf(folder, state);
  for (const [cell, job] of jobs) {
    report({ type: "job", label: labelOf(cell), job, state: states?.get(job) });
  }
  if (!isRunning) return report({ type: "end", why: "gone" });
  while (!signal.aborted) {
    for (const row of await reader.next()) {
      report({ type: "row", row, labels: cellsOf(row).map(labelOf) });
      if (row.type === "closed" || row.type === "left")
        return report({ type: "end", why: row.type });
    }
    if (!(await isLocked(folder))) return report({ type: "end", why: "gone" });
    await pause(lookMs, signal);
  }
}

/**
 * Cancels the jobs of an ablation that a cluster has, whoever submitted them; returns how many there were.
 *
 * @throws PupilError for a folder in which no ablation has run, and for one that this machine runs itself
 */
export async function cancelJobs(folder: string): Promise<number> {
  const { state } = await stateOf(folder);
  const engine = await engineOf(folder, state);
  if (engine === undefined) {
    throw new PupilError("its runs are processes of this machine, which end with their runner.", {
      field: folder,
      remedy: "Press Ctrl-C where it runs; if nothing runs, there is nothing to cancel.",
    });
  }
  const jobs = [...new Set(state.inFlight.values())];
  await engine.cancel(jobs);
  // A process that runs it sees for itself what has become of the jobs.
  if (!(await isLocked(folder))) {
    const journal = new Journal(folder);
    const message = "Cancelled with pupil ablate … cancel.";
    for (const cell of state.inFlight.keys()) {
      await journal.write({ type: "ended", cell, how: "cancelled", message });
    }
  }
  return jobs.length;
}

/** What the engine says of the jobs; undefined where this terminal has no access to it. */
async function statesOf(folder: string, state: JournalState) {
  try {
    const engine = await engineOf(folder, state);
    return await engine?.states([...new Set(state.inFlight.values())]);
  } catch (error) {
    if (error instanceof PupilError) return undefined;
    throw error;
  }
}

type Runner = NonNullable<JournalState["runner"]>;

async function stateOf(folder: string): Promise<{ runner: Runner; state: JournalState }> {
  const state = await readJournal(folder);
  if (state.runner !== undefined) return { runner: state.runner, state };
  throw new PupilError("no ablation has run in this folder.", {
    field: folder,
    remedy: "Name the folder of one, such as ablations/<name>: it holds jobs.jsonl.",
  });
}

/** The cluster that has the jobs; undefined for processes. */
async function engineOf(folder: string, { runner }: JournalState): Promise<Executor | undefined> {
  if (runner === undefined) return undefined;
  const { executor, fields } = runner;
  const words = executorSchema.parse({
    executor,
    ...(executor === "local" ? {} : { [executor]: fields }),
  });
  const jobs = resolve(jobsFolder(folder));
  return (await createExecutor(words, { jobs, cwd: process.cwd(), taskCommand: [] }))?.executor;
}

function cellsOf(row: JournalRow): readonly string[] {
  if (row.type === "ended") return [row.cell];
  return row.type === "submitted" ? row.cells : [];
}

/** How a cell is called: its arm and seed, or of a stage on the way its id. */
async function labelsOf(folder: string): Promise<(id: string) => string> {
  const path = join(folder, cellsFile);
  const cells = (await exists(path))
    ? ((await readJson(path)) as { id?: string; arm: string; seed: number }[])
    : [];
  const labels = new Map(cells.map(({ id, arm, seed }) => [id, `${arm}, seed ${seed}`]));
  return (id) => labels.get(id) ?? `stage ${id}`;
}

/** The rows of a journal as they are added. */
function journalReader(path: string): { next(): Promise<JournalRow[]> } {
  let position = 0;
  return {
    async next() {
      const file = await open(path, "r");
      try {
        const { size } = await file.stat();
        const bytes = Buffer.alloc(Math.max(0, size - position));
        await file.read(bytes, 0, bytes.length, position);
        const end = bytes.lastIndexOf(10) + 1;
        position += end;
        const lines = bytes.subarray(0, end).toString("utf8").split("\n");
        return lines.flatMap((line) => parseJournalRow(line) ?? []);
      } finally {
        await file.close();
      }
    },
  };
}
