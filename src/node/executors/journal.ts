import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { appendToFile, syncFile } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";

/** What was handed to whom and what became of it, in the folder of an ablation. */
export const journalFile = "jobs.jsonl";

/** How a job of a cell came to its end. */
export type JobEnd = "done" | "failed" | "again" | "cancelled" | "stopped";

/** A row of `jobs.jsonl`, without its time. */
export type JournalRow =
  /** A process begins to run the cells; what it does not say is in its command. */
  | {
      readonly type: "runner";
      readonly executor: string;
      /** The engine's fields; no address and no secret is one. */
      readonly fields: Readonly<Record<string, unknown>>;
      readonly command: string;
      readonly cells: number;
    }
  /** Before an engine is asked, so that a job is known that nobody got to write down. */
  | { readonly type: "submitting"; readonly key: string; readonly cells: readonly string[] }
  | {
      readonly type: "submitted";
      readonly key: string;
      readonly cells: readonly string[];
      readonly jobs: readonly string[];
    }
  | {
      readonly type: "ended";
      readonly cell: string;
      readonly how: JobEnd;
      readonly message?: string;
      readonly stop?: StoppedAt;
    }
  /** Nothing is in flight that this process knows of. */
  | { readonly type: "closed" }
  /** The process ends, the jobs go on. */
  | { readonly type: "left"; readonly jobs: number };

/** Where a rule ended a cell early. */
export interface StoppedAt {
  readonly step: number;
  readonly metric: string;
  readonly value: number;
  /** What it would have needed. */
  readonly cutoff: number;
}

/** What a journal says of the cells now. */
export interface JournalState {
  readonly runner: (JournalRow & { readonly type: "runner" }) | undefined;
  /** By cell the job that was not seen to end. */
  readonly inFlight: ReadonlyMap<string, string>;
  /** By key the cells that an engine was asked to take, with an answer that is not known. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
  /** By cell how often it was handed over. */
  readonly attempts: ReadonlyMap<string, number>;
  readonly stopped: ReadonlyMap<string, StoppedAt>;
}

/** The journal of an ablation's folder; an empty one if there is none. A row cut short by a kill is no row. */
export async function readJournal(folder: string): Promise<JournalState> {
  const inFlight = new Map<string, string>();
  const asked = new Map<string, readonly string[]>();
  const attempts = new Map<string, number>();
  const stopped = new Map<string, StoppedAt>();
  let runner: JournalState["runner"];
  for await (const row of journalRows(folder)) {
    if (row.type === "runner") {
      // Processes of this machine ended with the one that had started them.
      if (runner?.executor === "local") inFlight.clear();
      runner = row;
    } else if (row.type === "submitting") asked.set(row.key, row.cells);
    else if (row.type === "submitted") {
      asked.delete(row.key);
      for (const [i, cell] of row.cells.entries()) {
        inFlight.set(cell, row.jobs[i] as string);
        attempts.set(cell, (attempts.get(cell) ?? 0) + 1);
      }
    } else if (row.type === "ended") {
      inFlight.delete(row.cell);
      if (row.how === "stopped" && row.stop !== undefined) stopped.set(row.cell, row.stop);
    }
  }
  return { runner, inFlight, asked, attempts, stopped };
}

/** The rows in their order, one by one: a journal of many cells is long. */
export async function* journalRows(folder: string): AsyncGenerator<JournalRow> {
  const path = join(folder, journalFile);
  if (!(await exists(path))) return;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const row = parseJournalRow(line);
    if (row !== undefined) yield row;
  }
}

export function parseJournalRow(line: string): JournalRow | undefined {
  try {
    const row = JSON.parse(line) as JournalRow | null;
    return typeof row?.type === "string" ? row : undefined;
  } catch {
    return undefined;
  }
}

/** Adds rows to a journal. */
export class Journal {
  private readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, journalFile);
  }

  /** @param options `sync`: returns once it is on the disk */
  async write(row: JournalRow, options: { readonly sync?: boolean } = {}): Promise<void> {
    await appendToFile(
      this.path,
      `${JSON.stringify({ time: new Date().toISOString(), ...row })}\n`,
    );
    if (options.sync === true) await syncFile(this.path);
  }
}
