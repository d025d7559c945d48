import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import { makeFolder, removeUnfinished, writeFileAtomic } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";
import { newestWholeCheckpoint } from "./newest-checkpoint.js";

/** One row of a `.jsonl` log; rows of training steps carry their step. */
export interface LogRow {
  readonly step: number;
}

/** The files of one run; see the section "A run on disk" of docs/design.md. */
export interface RunFolder {
  readonly path: string;
  checkpointPath(step: number): string;
  appendMetrics(row: LogRow): Promise<void>;
  appendCompletions(rows: readonly LogRow[]): Promise<void>;
  writeSummary(summary: object): Promise<void>;
}

/** Makes a new run folder with its config; refuses one that already holds a run. */
export async function createRunFolder(path: string, config: object): Promise<RunFolder> {
  if (await exists(join(path, "config.json"))) {
    throw new PupilError("A run with this name exists already.", {
      field: path,
      remedy: `Continue it with resume=${path}, or choose another name with name=…, or delete the folder.`,
    });
  }
  await makeFolder(join(path, "checkpoints"), path);
  await writeFileAtomic(join(path, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  return runFolder(path);
}

/**
 * Opens a run to continue from its last complete checkpoint: drops half-written files and the log
 * rows that came after that checkpoint.
 */
export async function openRunFolder(
  path: string,
): Promise<{ run: RunFolder; step: number; notes: readonly string[] }> {
  const checkpoints = join(path, "checkpoints");
  await removeUnfinished(checkpoints);
  const { step, notes } = await newestWholeCheckpoint(checkpoints, await checkpointSteps(path));
  for (const name of ["metrics.jsonl", "completions.jsonl"]) await truncateLog(path, name, step);
  await rm(join(path, "summary.json"), { force: true });
  return { run: runFolder(path), step, notes };
}

/** Steps of the complete checkpoints, ascending. */
export async function checkpointSteps(path: string): Promise<number[]> {
  const names = await readdir(join(path, "checkpoints")).catch(() => []);
  return names
    .map((name) => /^step-(\d+)$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** The config a run was started with. */
export async function readRunConfig(path: string): Promise<unknown> {
  const file = join(path, "config.json");
  if (!(await exists(file))) {
    throw new PupilError("There is no run in this folder (no config.json).", {
      field: path,
      remedy: "Give the run's own folder, such as resume=runs/<name>.",
    });
  }
  return readJson(file, "config of the run");
}

/** A stored config without the versions that were recorded beside it. */
export function withoutVersions(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null) return stored;
  const { versions: _versions, ...config } = stored as Record<string, unknown>;
  return config;
}

function runFolder(path: string): RunFolder {
  const append = (name: string, rows: readonly LogRow[]) =>
    appendFile(join(path, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return {
    path,
    checkpointPath: (step) => join(path, "checkpoints", `step-${step}`),
    appendMetrics: (row) => append("metrics.jsonl", [row]),
    appendCompletions: (rows) => append("completions.jsonl", rows),
    writeSummary: (summary) =>
      writeFileAtomic(join(path, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`),
  };
}

/** Keeps the rows up to a step; a last row cut by a kill is dropped with them. */
async function truncateLog(path: string, name: string, step: number): Promise<void> {
  const file = join(path, name);
  if (!(await exists(file))) return;
  const lines = (await readFile(file, "utf8")).split("\n");
  const kept = lines.filter((line) => {
    try {
      return (JSON.parse(line) as LogRow).step <= step;
    } catch {
      return false;
    }
  });
  await writeFileAtomic(file, kept.map((line) => `${line}\n`).join(""));
}
