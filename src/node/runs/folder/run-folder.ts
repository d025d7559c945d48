import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../../errors/index.js";
import { readLogRow, type TraceRow } from "../../../trainers/index.js";
import {
  appendToFile,
  makeFolder,
  removePath,
  removeUnfinished,
  syncFile,
  writeFileAtomic,
} from "../../files/atomic.js";
import { exists } from "../../files/file-exists.js";
import { toJson } from "../../files/json.js";
import { readJsonObject } from "../../files/read-files.js";
import { fingerprintFile } from "./data-fingerprint.js";
import { newestWholeCheckpoint } from "./newest-checkpoint.js";
import { emptyHistory, type RunHistory } from "./run-history.js";
import { lockRun } from "./run-lock.js";
import { cutLog, lineOf, type LogLine, type NewLogRow } from "../../logs/log-file.js";

/** The files of one run, which no other process writes to; see "A run on disk" of docs/design.md. */
export interface RunFolder {
  readonly path: string;
  checkpointPath(step: number): string;
  /** Adds a row to `metrics.jsonl`, with the present time. */
  log(row: NewLogRow): Promise<void>;
  appendCompletions(rows: readonly LogLine[]): Promise<void>;
  appendTraces(rows: readonly TraceRow[]): Promise<void>;
  /** To be awaited before a checkpoint of the same step is written. */
  syncLogs(): Promise<void>;
  writeConfig(config: object): Promise<void>;
  writeSummary(summary: object): Promise<void>;
  /** What tells the run's data from other data. */
  writeFingerprint(fingerprint: object): Promise<void>;
  /** Which held-out problems the last evaluation found right, by set. */
  writeProblems(correct: object): Promise<void>;
  /** Cuts the logs to the rows of the first `step` steps, and returns what they tell. */
  goBackTo(step: number): Promise<RunHistory>;
  /** Lets other processes write to it. */
  close(): Promise<void>;
}

const logNames = ["metrics.jsonl", "completions.jsonl", "traces.jsonl"] as const;

/** Refuses a folder that holds a run. */
export async function refuseExistingRun(path: string): Promise<void> {
  if (!(await exists(join(path, "config.json")))) return;
  throw new PupilError("A run with this name exists already.", {
    field: path,
    remedy: `Continue it with resume=${path}, or choose another name with name=…, or delete the folder.`,
  });
}

/** Makes a new run folder with its config; refuses one that already holds a run. */
export async function createRunFolder(path: string, config: object): Promise<RunFolder> {
  await refuseExistingRun(path);
  await makeFolder(join(path, "checkpoints"), path);
  const run = await lockedFolder(path);
  try {
    // Another process may have been as fast.
    await refuseExistingRun(path);
    // Of a process that was killed before it had written the config.
    await removeUnfinished(path);
    await run.writeConfig(config);
    return run;
  } catch (error) {
    await run.close();
    throw error;
  }
}

/**
 * Opens a run to continue from its newest whole checkpoint; what was half-written is removed. `notes`
 * says which checkpoints were broken.
 */
export async function openRunFolder(
  path: string,
): Promise<{ run: RunFolder; step: number; notes: readonly string[] }> {
  const run = await lockedFolder(path);
  const checkpoints = join(path, "checkpoints");
  try {
    for (const folder of [path, checkpoints]) await removeUnfinished(folder);
    for (const name of await readdir(path)) {
      // Earlier versions wrote by way of these.
      if (/^(metrics|completions)\.jsonl\.\d+$/.test(name)) await removePath(join(path, name));
    }
    return { run, ...(await newestWholeCheckpoint(checkpoints, await checkpointSteps(path))) };
  } catch (error) {
    await run.close();
    throw error;
  }
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
export async function readRunConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(path, "config.json");
  if (!(await exists(file))) {
    throw new PupilError("There is no run in this folder (no config.json).", {
      field: path,
      remedy: "Give the run's own folder, such as runs/<name>.",
    });
  }
  return readJsonObject(file, "config of the run");
}

/** Refuses the folder of a loop of one's own, whose `config.json` says what decides its numbers and not how it is made. */
export function refuseOwnLoop(path: string, stored: unknown): void {
  if (typeof stored !== "object" || stored === null || "model_type" in stored) return;
  if (!("versions" in stored) || "trainer" in stored || "data" in stored) return;
  throw new PupilError(
    "The run is of a loop of its own (runLoop): its config.json has settings, and names neither data nor trainer.",
    {
      field: path,
      remedy:
        "Start its program again to continue it. `pupil generate`, `info`, `export`, `runs`, `report` and `export-metrics` take it as it is.",
    },
  );
}

/** A stored config without the versions that were recorded beside it. */
export function withoutVersions(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null) return stored;
  const { versions: _versions, ...config } = stored as Record<string, unknown>;
  return config;
}

async function lockedFolder(path: string): Promise<RunFolder> {
  const lock = await lockRun(path);
  const append = async (name: (typeof logNames)[number], rows: readonly LogLine[]) => {
    if (rows.length === 0) return;
    await lock.check();
    await appendToFile(join(path, name), rows.map((row) => `${toJson(row)}\n`).join(""));
  };
  const write = async (name: string, value: object) => {
    await lock.check();
    await writeFileAtomic(join(path, name), `${toJson(value, 2)}\n`);
  };
  return {
    path,
    checkpointPath: (step) => join(path, "checkpoints", `step-${step}`),
    log: (row) => append("metrics.jsonl", [lineOf(row)]),
    appendCompletions: (rows) => append("completions.jsonl", rows),
    appendTraces: (rows) => append("traces.jsonl", rows),
    syncLogs: async () => {
      await lock.check();
      for (const name of logNames) {
        if (await exists(join(path, name))) await syncFile(join(path, name));
      }
    },
    writeConfig: (config) => write("config.json", config),
    writeSummary: (summary) => write("summary.json", summary),
    writeFingerprint: (fingerprint) => write(fingerprintFile, fingerprint),
    writeProblems: (correct) => write("problems.json", correct),
    goBackTo: async (step) => {
      await lock.check();
      await removePath(join(path, "summary.json"));
      return cutLogs(path, step);
    },
    close: () => lock.release(),
  };
}

/**
 * All rows of a step are written before its checkpoint is. Hence the rows up to the checkpoint's step are
 * those that an uninterrupted run has by then, and without a checkpoint there are none; but where an
 * evaluation failed, and the checkpoint was made all the same, it is done again.
 */
async function cutLogs(path: string, step: number): Promise<RunHistory> {
  const history = emptyHistory();
  const isBefore = (row: LogLine) => step > 0 && row.step <= step;
  const [metrics, ...ofEvaluations] = logNames.map((name) => join(path, name)) as [string, string];
  await cutLog(metrics, isBefore, (line) => {
    const row = readLogRow(line);
    if (row !== undefined) history.replay(row);
  });
  // An evaluation's completions and traces are written before its metrics, which say that it is whole.
  const evaluated = history.last?.step === step;
  for (const log of ofEvaluations) {
    await cutLog(log, (row) => isBefore(row) && (evaluated || row.step < step));
  }
  return history;
}
