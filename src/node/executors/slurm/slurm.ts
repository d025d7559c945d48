import { open } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../../errors/index.js";
import { makeFolder } from "../../files/atomic.js";
import { batchPath, numTasks, taskOf, writeBatch } from "../batches.js";
import { EngineAwayError, type Executor, type JobState, pause } from "../executor.js";
import type { ExecutorPlace } from "../place.js";
import { type ProgramResult, type RunProgram, runProgram } from "../run-program.js";
import type { SlurmFields } from "./fields.js";
import { parseArrays, parseMaxArray, parseSacct, parseSqueue } from "./parse.js";
import { sbatchScript, sbatchWords } from "./sbatch.js";

/** What Slurm's programs say when their controller does not answer, or takes no more from this user now. */
const awayPattern =
  /Unable to contact slurm controller|Socket timed out|Connection refused|Zero Bytes were transmitted|temporarily unable|MaxSubmitJob|QOSMax\w*Submit|AssocMax\w*Submit|Slurm backup controller|in standby mode/i;
/** What they say of a job that they have forgotten. */
const unknownJob = /Invalid job id specified|Invalid job array/i;
const noNodeLeft = /node configuration is not available|Invalid node name/i;
/** Ids of one call: a command line has an end. */
const mostIds = 500;

/**
 * Slurm by its own programs: an array for each submit, whose states come from `squeue` and, once it has
 * forgotten a job, from `sacct` where the cluster keeps accounts.
 *
 * @throws PupilError where there is no `sbatch`
 */
export async function slurmExecutor(
  fields: SlurmFields,
  { jobs: folder, cwd, taskCommand }: ExecutorPlace,
  run: RunProgram = runProgram,
): Promise<Executor> {
  const largest = await maxArray(run);
  const logs = join(folder, "logs");
  const { cellsPerTask } = fields;
  let hasAccounts = true;
  /** What sacct said where it failed in a way that nobody foresaw. */
  let trouble = "";

  const found = async (key: string): Promise<string | undefined> => {
    const words = ["--noheader", "--states=all", `--name=${key}`, "--format=%F"];
    const queued = parseArrays((await orAway(run("squeue", words), "squeue")).stdout);
    if (queued[0] !== undefined || !hasAccounts) return queued[0];
    const stored = await run("sacct", [
      ...["--noheader", "--parsable2", "--allocations", `--name=${key}`, "--format=JobID"],
      // Without a time it lists those of today.
      "--starttime=now-30days",
    ]);
    if (isWithoutAccounts(stored)) return undefined;
    requireAnswer(stored, "sacct");
    return parseArrays(stored.stdout)[0];
  };

  const states = async (jobs: readonly string[]): Promise<Map<string, JobState>> => {
    const all = new Map<string, JobState>();
    for (const some of chunks([...new Set(jobs.map(arrayOf))])) {
      const listed = await run("squeue", [
        ...["--noheader", "--array", "--states=all", `--jobs=${some.join()}`],
        "--format=%i|%T|%N|%r",
      ]);
      // Of a single job that it has forgotten, squeue says so; of several it lists the others.
      if (!unknownJob.test(listed.stderr)) requireAnswer(listed, "squeue");
      for (const [job, state] of parseSqueue(listed.stdout)) all.set(job, state);
    }
    const missing = jobs.filter((job) => !all.has(job));
    if (missing.length > 0 && hasAccounts) {
      for (const some of chunks([...new Set(missing.map(arrayOf))])) {
        const stored = await run("sacct", [
          ...["--noheader", "--parsable2", "--allocations", `--jobs=${some.join()}`],
          "--format=JobID,State,NodeList,ExitCode",
        ]);
        if (stored.code !== 0) {
          if (isWithoutAccounts(stored)) hasAccounts = false;
          else if (isAway(stored)) throw away("sacct", stored);
          else trouble = ` (${refused("sacct", stored).message.split("\n")[0]})`;
          break;
        }
        for (const [job, state] of parseSacct(stored.stdout))
          if (!all.has(job)) all.set(job, state);
      }
    }
    const gone = `Slurm no longer knows the job${trouble}.`;
    return new Map(jobs.map((job) => [job, all.get(job) ?? { type: "lost", message: gone }]));
  };

  return {
    ...{ name: "slurm", outlivesRunner: true, sharesFolder: true, capacity: fields.inFlight },
    batch: largest * cellsPerTask,
    async submit(cells, { key, again, exclude }) {
      const array = again ? await found(key) : undefined;
      const ids = (id: string) => cells.map((_, i) => `${id}_${taskOf(i, cellsPerTask)}`);
      if (array !== undefined) return ids(array);
      const batch = batchPath(folder, key);
      await writeBatch(batch, { cwd, cellsPerTask, cells });
      await makeFolder(logs);
      const script = sbatchScript([...taskCommand, batch], fields);
      const submit = (without: readonly string[]) =>
        run(
          "sbatch",
          sbatchWords(fields, {
            ...{ key, logs, cwd, exclude: without },
            tasks: numTasks(cells.length, cellsPerTask),
          }),
          script,
        );
      let answer = await submit(exclude);
      // A cluster of one node has no other: better there again than nowhere.
      if (exclude.length > 0 && noNodeLeft.test(answer.stderr)) answer = await submit([]);
      requireAnswer(answer, "sbatch");
      const [id = ""] = parseArrays(answer.stdout.split(";")[0] ?? "");
      if (id !== "") return ids(id);
      throw refused("sbatch", answer);
    },
    states,
    async cancel(jobs) {
      for (const some of chunks(jobs)) {
        const answer = await run("scancel", ["--quiet", ...some]);
        if (!unknownJob.test(answer.stderr)) requireAnswer(answer, "scancel");
      }
    },
    logs: (job) => tailOf(join(logs, `${job}.log`)),
    changed: (signal) => pause(fields.poll * 1000, signal),
    cancelCommand: (jobs) => `scancel ${[...new Set(jobs.map(arrayOf))].join(" ")}`,
  };
}

const arrayOf = (job: string) => job.split("_")[0] as string;

function chunks(ids: readonly string[]): string[][] {
  const count = Math.ceil(ids.length / mostIds);
  return Array.from({ length: count }, (_, i) => ids.slice(i * mostIds, (i + 1) * mostIds));
}

/** Tasks of the largest array that this cluster takes. */
async function maxArray(run: RunProgram): Promise<number> {
  const version = await run("sbatch", ["--version"]);
  if (version.error === "ENOENT") {
    throw new PupilError("there is no sbatch in PATH.", {
      field: "executor",
      value: "slurm",
      remedy: "Run this where Slurm's commands are, such as a login node of the cluster.",
    });
  }
  const shown = await run("scontrol", ["show", "config"]);
  // The largest index is one less than the size. Without an answer: what Slurm ships with.
  return (parseMaxArray(shown.stdout) ?? 1001) - 1;
}

async function orAway(answer: Promise<ProgramResult>, program: string): Promise<ProgramResult> {
  const found = await answer;
  requireAnswer(found, program);
  return found;
}

function requireAnswer(answer: ProgramResult, program: string): void {
  if (answer.code === 0) return;
  if (isAway(answer)) throw away(program, answer);
  throw refused(program, answer);
}

/** One that did not come to its end has given no answer. */
function isAway({ error, stderr }: ProgramResult): boolean {
  return error === "ETIMEDOUT" || error?.startsWith("SIG") === true || awayPattern.test(stderr);
}

/** Whether the cluster keeps no accounts. */
function isWithoutAccounts({ error, stderr }: ProgramResult): boolean {
  return error === "ENOENT" || /accounting storage is disabled/i.test(stderr);
}

function away(program: string, { stderr, error }: ProgramResult): EngineAwayError {
  return new EngineAwayError(`${program}: ${stderr.trim() || (error ?? "no answer")}`, {
    field: "slurm",
  });
}

function refused(program: string, { stderr, stdout, code, error }: ProgramResult): PupilError {
  const said = stderr.trim() || stdout.trim() || (error ?? `exit code ${code}`);
  return new PupilError(`${program} refused: ${said}`, {
    field: "slurm",
    remedy: "Check the fields slurm.… against what the cluster allows (sinfo, sacctmgr).",
  });
}

const tailBytes = 2 ** 16;

/** The end of a log; empty if there is none. */
async function tailOf(path: string): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const length = Math.min(size, tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
