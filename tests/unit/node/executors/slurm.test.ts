import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EngineAwayError } from "../../../../src/node/executors/executor.js";
import type { RunProgram } from "../../../../src/node/executors/run-program.js";
import { type SlurmFields, slurmFields } from "../../../../src/node/executors/slurm/fields.js";
import {
  parseArrays,
  parseMaxArray,
  parseSacct,
  parseSqueue,
} from "../../../../src/node/executors/slurm/parse.js";
import { sbatchScript, sbatchWords } from "../../../../src/node/executors/slurm/sbatch.js";
import { slurmExecutor } from "../../../../src/node/executors/slurm/slurm.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const fieldsOf = (given: object = {}): SlurmFields => slurmFields.parse(given);
const cells = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `c${i}`, command: ["true"], folder: `f${i}` }));

/** Programs of a cluster, each answered by a function of its words. */
function programs(answers: Record<string, (words: readonly string[]) => object>) {
  const calls: (readonly string[])[] = [];
  const run: RunProgram = (program, words) => {
    calls.push([program, ...words]);
    const answer = answers[program]?.(words) ?? {};
    return Promise.resolve({ code: 0, stdout: "", stderr: "", ...answer });
  };
  return { run, calls };
}

const config = () => ({ stdout: "MaxArraySize            = 11\n" });

async function executorWith(answers: Parameters<typeof programs>[0], fields: object = {}) {
  const folder = temporaryFolder();
  const { run, calls } = programs({ scontrol: config, ...answers });
  const place = { jobs: folder, cwd: "/here", taskCommand: ["node", "run task.js"] };
  const executor = await slurmExecutor(fieldsOf(fields), place, run);
  return { executor, calls, folder };
}

const options = { key: "pupil-k", again: false, exclude: [] };

describe("what Slurm says", () => {
  test("of a job is a state", () => {
    const listed = [
      "7_0|PENDING||Resources",
      "7_1|RUNNING|n1|None",
      "7_2|COMPLETING|n1|None",
      "7_3|COMPLETED|n1|None",
      "7_4|FAILED|n2|NonZeroExitCode",
      "7_5|CANCELLED|n1|None",
      "7_6|NODE_FAIL|n3|NodeDown",
      "7_7|PREEMPTED|n3|None",
      "7_8|TIMEOUT|n3|TimeLimit",
      "7_9|SOMETHING_NEW|n3|None",
    ].join("\n");
    expect(Object.fromEntries(parseSqueue(`${listed}\n`))).toMatchObject({
      "7_0": { type: "waiting", why: "Resources" },
      "7_1": { type: "running", node: "n1" },
      "7_2": { type: "running" },
      "7_3": { type: "ended", node: "n1" },
      "7_4": { type: "failed", message: "Slurm says FAILED on n2 (NonZeroExitCode).", node: "n2" },
      "7_5": { type: "cancelled" },
      "7_6": { type: "lost", node: "n3" },
      "7_7": { type: "lost" },
      "7_8": { type: "failed" },
      "7_9": { type: "lost" },
    });
    const stored =
      "7_0|CANCELLED by 1000|None assigned|0:0\n7_1|FAILED|n1|1:0\n7_1|COMPLETED|n2|0:0\n";
    expect(Object.fromEntries(parseSacct(stored))).toEqual({
      "7_0": { type: "cancelled", message: "Slurm says CANCELLED by 1000." },
      // The line of the last time that it ran.
      "7_1": { type: "ended", node: "n2" },
    });
  });

  test("of tasks that wait, as one, is each one's state", () => {
    const stored = parseSacct("7_[0-1,3%2]|PENDING|None assigned|0:0\n7_2|RUNNING|n1|0:0\n");
    expect([...stored.keys()]).toEqual(["7_0", "7_1", "7_3", "7_2"]);
    expect(stored.get("7_1")).toEqual({ type: "waiting" });
    expect(stored.get("7_2")).toEqual({ type: "running", node: "n1" });
  });

  test("of arrays and limits is read", () => {
    expect(parseArrays("12_3\n12_4.batch\n13\nJOBID\n")).toEqual(["12", "13"]);
    expect(parseMaxArray("x = 1\nMaxArraySize            = 1001\ny")).toBe(1001);
    expect(parseMaxArray("")).toBeUndefined();
  });
});

describe("sbatch", () => {
  test("is given the fields, an array with its throttle, and a script that becomes the program", () => {
    const fields = fieldsOf({
      ...{ partition: "gpu", time: "1:00:00", memory: "4G", gres: "gpu:1", throttle: 8, cpus: 2 },
    });
    const place = { key: "k", logs: "/l", cwd: "/w", exclude: ["n1", "n2"], tasks: 5 };
    expect(sbatchWords(fields, place)).toEqual([
      ...["--parsable", "--job-name=k", "--array=0-4%8", "--nodes=1", "--ntasks=1"],
      ...["--cpus-per-task=2", "--requeue", "--open-mode=append", "--signal=B:TERM@60"],
      ...["--chdir=/w", "--output=/l/%A_%a.log", "--partition=gpu", "--time=1:00:00", "--mem=4G"],
      ...["--gres=gpu:1", "--exclude=n1,n2"],
    ]);
    expect(sbatchScript(["node", "it's here.js"], fields)).toBe(
      "#!/bin/sh\nexport PUPIL_THREADS=2\nexec node 'it'\\''s here.js' \"$SLURM_ARRAY_TASK_ID\"\n",
    );
  });

  test("gets several cells per task, and arrays no larger than the cluster takes", async () => {
    const { executor, folder } = await executorWith(
      { sbatch: () => ({ stdout: "42;cluster\n" }) },
      { cellsPerTask: 3 },
    );
    expect(executor.batch).toBe(30);
    const jobs = await executor.submit(cells(7), options);
    expect(jobs).toEqual(["42_0", "42_0", "42_0", "42_1", "42_1", "42_1", "42_2"]);
    const batch = JSON.parse(readFileSync(join(folder, "batches/pupil-k.json"), "utf8")) as object;
    expect(batch).toMatchObject({ cwd: "/here", cellsPerTask: 3 });
    expect(existsSync(join(folder, "logs"))).toBe(true);
  });

  test("is not asked again for what the queue, or the accounts, have already", async () => {
    for (const where of ["squeue", "sacct"]) {
      const { executor, calls } = await executorWith({ [where]: () => ({ stdout: "42\n" }) });
      expect(await executor.submit(cells(2), { ...options, again: true })).toEqual([
        "42_0",
        "42_1",
      ]);
      expect(
        calls.filter(([program, word]) => program === "sbatch" && word !== "--version"),
      ).toEqual([]);
    }
  });

  test("is asked without the excluded nodes where there are no others", async () => {
    const { executor, calls } = await executorWith({
      sbatch: (words) =>
        words.some((word) => word.startsWith("--exclude"))
          ? { code: 1, stderr: "sbatch: error: Requested node configuration is not available" }
          : { stdout: "5\n" },
    });
    expect(await executor.submit(cells(1), { ...options, exclude: ["n1"] })).toEqual(["5_0"]);
    expect(calls.filter(([program]) => program === "sbatch")).toHaveLength(3);
  });

  test("that is missing, refuses, or has no controller are three errors", async () => {
    await expect(executorWith({ sbatch: () => ({ code: 1, error: "ENOENT" }) })).rejects.toThrow(
      /executor: there is no sbatch in PATH/,
    );
    const refusing = await executorWith({
      sbatch: () => ({ code: 1, stderr: "sbatch: error: invalid partition specified: gpux" }),
    });
    await expect(refusing.executor.submit(cells(1), options)).rejects.toThrow(
      /sbatch refused: .*invalid partition.*sinfo/s,
    );
    const stderr = "sbatch: error: Batch job submission failed: Unable to contact slurm controller";
    const away = await executorWith({ sbatch: () => ({ code: 1, stderr }) });
    await expect(away.executor.submit(cells(1), options)).rejects.toThrow(EngineAwayError);
  });
});

describe("states of jobs", () => {
  test("come from the queue, then from the accounts; what neither knows is lost", async () => {
    const { executor, calls } = await executorWith({
      squeue: () => ({ stdout: "7_0|RUNNING|n1|None\n" }),
      sacct: () => ({ stdout: "7_1|COMPLETED|n1|0:0\n" }),
    });
    const states = await executor.states(["7_0", "7_1", "8_0"]);
    expect([...states.values()].map(({ type }) => type)).toEqual(["running", "ended", "lost"]);
    expect(calls.filter(([program]) => program === "squeue")).toHaveLength(1);
  });

  test("of a cluster without accounts are those of the queue, and sacct is asked once", async () => {
    const stderr = "slurm_load_jobs error: Invalid job id specified";
    const { executor, calls } = await executorWith({
      squeue: () => ({ code: 1, stderr }),
      sacct: () => ({ code: 1, stderr: "Slurm accounting storage is disabled" }),
    });
    for (let i = 0; i < 2; i++) {
      expect((await executor.states(["7_0"])).get("7_0")?.type).toBe("lost");
    }
    expect(calls.filter(([program]) => program === "sacct")).toHaveLength(1);
  });

  test("of a cluster whose sacct fails otherwise are lost with what it said, and it is asked again", async () => {
    const { executor, calls } = await executorWith({
      sacct: () => ({ code: 1, stderr: "sacct: unrecognized option" }),
    });
    const lost = {
      type: "lost",
      message: expect.stringMatching(/no longer.*unrecognized option/) as string,
    };
    for (let i = 0; i < 2; i++) {
      expect((await executor.states(["7_0"])).get("7_0")).toEqual(lost);
    }
    expect(calls.filter(([program]) => program === "sacct")).toHaveLength(2);
    // Whether it has them nobody knows: better an error than a second array.
    await expect(executor.submit(cells(1), { ...options, again: true })).rejects.toThrow(/sacct/);
  });

  test("are not told where a program is ended before it answers", async () => {
    const { executor } = await executorWith({ squeue: () => ({ code: 1, error: "SIGINT" }) });
    await expect(executor.states(["7_0"])).rejects.toThrow(EngineAwayError);
  });

  test("are asked for with words that Slurm 22.05 knows", async () => {
    const { executor, calls } = await executorWith({});
    await executor.states(["7_0"]);
    expect(calls.find(([program]) => program === "sacct")).not.toContain("--array");
  });

  test("are not told while the controller is away", async () => {
    const { executor } = await executorWith({
      squeue: () => ({
        code: 1,
        stderr: "slurm_load_jobs error: Unable to contact slurm controller",
      }),
    });
    await expect(executor.states(["7_0"])).rejects.toThrow(EngineAwayError);
  });
});

test("jobs are cancelled by their ids, and the end of a log is read", async () => {
  const { executor, calls, folder } = await executorWith({});
  await executor.cancel(["7_0", "7_1"]);
  expect(calls.at(-1)).toEqual(["scancel", "--quiet", "7_0", "7_1"]);
  expect(executor.cancelCommand?.(["7_0", "7_1", "9_0"])).toBe("scancel 7 9");
  expect(await executor.logs("7_0")).toBe("");
  mkdirSync(join(folder, "logs"), { recursive: true });
  writeFileSync(join(folder, "logs/7_0.log"), `${"x".repeat(2 ** 16)}end`);
  expect(await executor.logs("7_0")).toMatch(/^x{65533}end$/);
});
