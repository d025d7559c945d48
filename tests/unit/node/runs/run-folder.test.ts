import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { replaceDisk } from "../../../../src/node/files/disk.js";
import {
  checkpointSteps,
  createRunFolder,
  openRunFolder,
  type RunFolder,
} from "../../../../src/node/runs/run-folder.js";
import { runToEnd, tinyRun } from "../../../setup/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** What happens to files by name, in order. */
function watchDisk(): string[] {
  const seen: string[] = [];
  const putBack = replaceDisk((real) => ({
    ...real,
    open: async (path, flags) => {
      const file = await real.open(path, flags);
      const sync = async () => {
        await file.sync();
        seen.push(`sync ${basename(path)}`);
      };
      return { ...file, sync };
    },
    rename: async (from, to) => {
      await real.rename(from, to);
      seen.push(`rename ${basename(to)}`);
    },
  }));
  onTestFinished(putBack);
  return seen;
}

test("the logs are on the disk before a checkpoint has its name", async () => {
  const config = tinyRun(temporaryFolder(), { evaluation: { every: 3, rows: 2, traces: 1 } });
  const seen = watchDisk();
  await runToEnd(config);
  const at = (what: string, from = 0) => seen.indexOf(what, from);
  for (const checkpoint of ["step-3", "step-6"]) {
    const start = checkpoint === "step-3" ? 0 : at("rename step-3") + 1;
    const named = at(`rename ${checkpoint}`);
    expect(named).toBeGreaterThan(0);
    for (const log of ["metrics.jsonl", "completions.jsonl", "traces.jsonl"]) {
      const synced = at(`sync ${log}`, start);
      expect(synced, `${checkpoint}: ${log}`).toBeGreaterThanOrEqual(start);
      expect(synced, `${checkpoint}: ${log}`).toBeLessThan(named);
    }
  }
});

test("logs that a run does not have are not asked for", async () => {
  const seen = watchDisk();
  const run = await createRunFolder(join(temporaryFolder(), "run"), {});
  try {
    await run.log({ type: "resume", step: 0 });
    seen.length = 0;
    await run.syncLogs();
    expect(seen).toEqual(["sync metrics.jsonl"]);
    // Nothing to append makes no file.
    await run.appendCompletions([]);
    expect(existsSync(join(run.path, "completions.jsonl"))).toBe(false);
  } finally {
    await run.close();
  }
});

test("going back keeps what an uninterrupted run has by that step, and no summary", async () => {
  const path = join(temporaryFolder(), "run");
  const rowsOf = (name: string) =>
    readFileSync(join(path, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const { type, step } = JSON.parse(line) as { type?: string; step: number };
        return type === undefined ? step : `${type} ${step}`;
      });
  const fill = async (run: RunFolder, evaluated: readonly number[]) => {
    for (const step of [1, 2, 3]) {
      await run.log({ type: "step", step, values: { loss: 1, tokens: 1, elapsedMs: 1 } });
      const written = { step, completion: "x" };
      await run.appendCompletions([written]);
      if (!evaluated.includes(step)) continue;
      await run.log({ type: "evaluation", step, values: { "heldOut.loss": 1 } });
    }
    await run.writeSummary({ steps: 3 });
  };
  const run = await createRunFolder(path, {});
  try {
    await fill(run, [1, 2, 3]);
    await run.goBackTo(2);
    expect(existsSync(join(path, "summary.json"))).toBe(false);
    const first = ["step 1", "evaluation 1", "step 2"];
    expect(rowsOf("metrics.jsonl")).toEqual([...first, "evaluation 2"]);
    expect(rowsOf("completions.jsonl")).toEqual([1, 2]);
    await run.goBackTo(0);
    expect([...rowsOf("metrics.jsonl"), ...rowsOf("completions.jsonl")]).toEqual([]);
    // The evaluation of step 2 did not come to its end: it is done again, with its completions.
    await fill(run, [1]);
    await run.goBackTo(2);
    expect(rowsOf("metrics.jsonl")).toEqual(first);
    expect(rowsOf("completions.jsonl")).toEqual([1]);
  } finally {
    await run.close();
  }
});

test("checkpoints are counted by their numbers, and what else lies there is not one", async () => {
  const path = temporaryFolder();
  expect(await checkpointSteps(path)).toEqual([]);
  for (const name of ["step-10", "step-9", "step-100", "step-x", "my-step-3", "step-4.old"]) {
    mkdirSync(join(path, "checkpoints", name), { recursive: true });
  }
  expect(await checkpointSteps(path)).toEqual([9, 10, 100]);
});

test("a folder that holds a run makes no new one, and one that is opened is closed for others", async () => {
  const path = join(temporaryFolder(), "run");
  const run = await createRunFolder(path, { name: "first" });
  await expect(openRunFolder(path)).rejects.toThrow(path);
  await run.close();
  await expect(createRunFolder(path, { name: "second" })).rejects.toThrow(
    `${path}: A run with this name exists already. Continue it with resume=${path}`,
  );
  expect(readFileSync(join(path, "config.json"), "utf8")).toContain("first");
  writeFileSync(join(path, "metrics.jsonl.12"), "of an earlier version");
  const { run: opened, step, notes } = await openRunFolder(path);
  expect({ step, notes }).toEqual({ step: 0, notes: [] });
  expect(existsSync(join(path, "metrics.jsonl.12"))).toBe(false);
  await opened.close();
});
