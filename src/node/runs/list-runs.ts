import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";
import { withNumbers } from "../files/json.js";
import { lastRows } from "../logs/last-rows.js";
import { checkpointSteps } from "./run-folder.js";
import { isLocked } from "./run-lock.js";

/** A run as a list shows it. */
export interface ListedRun {
  readonly path: string;
  /** running: a process holds it; stopped: it can be continued. */
  readonly state: "finished" | "diverged" | "running" | "stopped" | "broken";
  /** Steps that are done, of those that were asked for. */
  readonly done: number;
  readonly steps: number;
  /** Of the last evaluation. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * The runs of a folder, with those in folders of it.
 *
 * @throws PupilError if there is no such folder
 */
export async function listRuns(folder: string): Promise<ListedRun[]> {
  if (!(await exists(folder))) {
    throw new PupilError("there is no such folder.", {
      field: folder,
      remedy: "Name the folder that holds the runs: pupil runs [folder], by default runs.",
    });
  }
  const found: ListedRun[] = [];
  for (const path of await findFolders(folder, isRunFolder)) found.push(await listRun(path));
  return found;
}

/** Folders below one that are of a kind, itself among them, in the order of their names; nothing is looked for in them. */
export async function findFolders(
  folder: string,
  isOfKind: (path: string) => Promise<boolean>,
  depth = 3,
): Promise<string[]> {
  if (await isOfKind(folder)) return [folder];
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  const found: string[] = [];
  for (const { name } of folders.sort((a, b) => a.name.localeCompare(b.name))) {
    found.push(...(await findFolders(join(folder, name), isOfKind, depth - 1)));
  }
  return found;
}

/** What is read of a `summary.json`. */
interface Summary {
  readonly final?: Readonly<Record<string, number>>;
  readonly steps?: number;
  readonly diverged?: boolean;
}

/** One run of such a list. */
export async function listRun(path: string): Promise<ListedRun> {
  const nothing = { path, done: 0, steps: 0, metrics: {} };
  try {
    const config = (await readJson(join(path, "config.json"), "config")) as {
      trainer?: { steps?: number };
    };
    const steps = config.trainer?.steps ?? 0;
    const summaryFile = join(path, "summary.json");
    if (await exists(summaryFile)) {
      const summary = withNumbers(await readJson(summaryFile)) as Summary;
      const { final = {}, steps: done = 0, diverged = false } = summary;
      return { path, state: diverged ? "diverged" : "finished", done, steps, metrics: final };
    }
    const saved = (await checkpointSteps(path)).at(-1) ?? 0;
    const log = join(path, "metrics.jsonl");
    const { step, evaluation } = (await exists(log))
      ? await lastRows(log, ["step", "evaluation"])
      : {};
    const isRunning = await isLocked(path);
    return {
      ...{ path, steps, state: isRunning ? "running" : "stopped" },
      done: isRunning ? (step?.step ?? 0) : saved,
      metrics: evaluation?.values ?? {},
    };
  } catch (error) {
    if (!(error instanceof PupilError)) throw error;
    return { ...nothing, state: "broken" };
  }
}

/** A model folder has a config.json too, but no log or checkpoints. */
export async function isRunFolder(path: string): Promise<boolean> {
  const parts = ["config.json", "checkpoints"].map((name) => exists(join(path, name)));
  return (await Promise.all(parts)).every(Boolean);
}
