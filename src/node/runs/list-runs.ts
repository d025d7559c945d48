import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { readJson, readText } from "../files/read-files.js";
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
  const look = async (path: string, depth: number): Promise<void> => {
    if (await isRunFolder(path)) {
      found.push(await describeRun(path));
      return;
    }
    if (depth === 0) return;
    const entries = await readdir(path, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    for (const { name } of folders.sort((a, b) => a.name.localeCompare(b.name))) {
      await look(join(path, name), depth - 1);
    }
  };
  await look(folder, 3);
  return found;
}

type Row = Readonly<Record<string, unknown>>;

async function describeRun(path: string): Promise<ListedRun> {
  const nothing = { path, done: 0, steps: 0, metrics: {} };
  try {
    const config = (await readJson(join(path, "config.json"), "config")) as {
      trainer?: { steps?: number };
    };
    const steps = config.trainer?.steps ?? 0;
    const summary = join(path, "summary.json");
    if (await exists(summary)) {
      const {
        final,
        steps: done,
        diverged,
      } = (await readJson(summary)) as {
        final: Record<string, number>;
        steps: number;
        diverged: boolean;
      };
      return { path, state: diverged ? "diverged" : "finished", done, steps, metrics: final };
    }
    const saved = (await checkpointSteps(path)).at(-1) ?? 0;
    const rows = await rowsOf(join(path, "metrics.jsonl"));
    const isRunning = await isLocked(path);
    const last = rows.findLast((row) => "learningRate" in row)?.["step"];
    return {
      ...{ path, steps, state: isRunning ? "running" : "stopped" },
      done: isRunning ? Number(last ?? 0) : saved,
      metrics: numbersOf(rows.findLast((row) => Object.keys(row).some((key) => key.includes(".")))),
    };
  } catch (error) {
    if (!(error instanceof PupilError)) throw error;
    return { ...nothing, state: "broken" };
  }
}

/** Rows of a log that may be growing: a half-written last one is left out. */
async function rowsOf(path: string): Promise<Row[]> {
  if (!(await exists(path))) return [];
  const lines = (await readText(path)).split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Row);
}

function numbersOf(row: Row = {}): Record<string, number> {
  const entries = Object.entries(row).filter(
    ([key, value]) => key.includes(".") && typeof value === "number",
  );
  return Object.fromEntries(entries) as Record<string, number>;
}

/** A model folder has a config.json too, but no log or checkpoints. */
async function isRunFolder(path: string): Promise<boolean> {
  const parts = ["config.json", "checkpoints"].map((name) => exists(join(path, name)));
  return (await Promise.all(parts)).every(Boolean);
}
