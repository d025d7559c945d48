import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { exists, isFolder } from "../../files/file-exists.js";
import { readJson } from "../../files/read-files.js";
import { withNumbers } from "../../files/json.js";
import { lastRows } from "../../logs/last-rows.js";
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
  if (!(await isFolder(folder))) {
    throw new PupilError("is a file, not a folder.", {
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

/** What is read of a `config.json`; that of a loop of one's own may hold anything. */
const configSchema = z.looseObject({
  trainer: z.object({ steps: z.int().min(0) }).catch({ steps: 0 }),
});

/** What is read of a `summary.json`. */
const summarySchema = z.object({
  final: z.record(z.string(), z.unknown()).default({}),
  steps: z.int().min(0).default(0),
  diverged: z.boolean().default(false),
});

/** One run of such a list. */
export async function listRun(path: string): Promise<ListedRun> {
  const nothing = { path, done: 0, steps: 0, metrics: {} };
  try {
    const config = configSchema.safeParse(await readJson(join(path, "config.json"), "config"));
    if (!config.success) return { ...nothing, state: "broken" };
    const { steps } = config.data.trainer;
    const summaryFile = join(path, "summary.json");
    if (await exists(summaryFile)) {
      const summary = summarySchema.safeParse(withNumbers(await readJson(summaryFile)));
      if (!summary.success) return { ...nothing, state: "broken" };
      const { final, steps: done, diverged } = summary.data;
      // Measures may be infinite; older runs have null for those that are.
      const metrics = Object.fromEntries(
        Object.entries(final).filter((entry): entry is [string, number] => {
          return typeof entry[1] === "number";
        }),
      );
      return { path, state: diverged ? "diverged" : "finished", done, steps, metrics };
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
