import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toJson } from "../../../../../src/node/index.js";
import {
  findFolders,
  isRunFolder,
  type ListedRun,
  listRuns,
} from "../../../../../src/node/runs/folder/list-runs.js";
import { lockRun } from "../../../../../src/node/runs/folder/run-lock.js";
import { writeRunFiles } from "../../../../setup/runs/run-files.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

/** A run of three steps in a new folder, with what is done to it. */
async function listed(change: (path: string) => void = () => {}): Promise<ListedRun | undefined> {
  const path = writeRunFiles(temporaryFolder());
  change(path);
  const [run, ...others] = await listRuns(path);
  expect(others).toEqual([]);
  expect(run?.path).toBe(path);
  return run;
}

const summarized = (summary: unknown) =>
  listed((path) => writeFileSync(join(path, "summary.json"), toJson(summary)));

describe("which folders are runs", () => {
  test("the folder itself, and then nothing in it is looked at", async () => {
    const path = writeRunFiles(temporaryFolder());
    writeRunFiles(join(path, "checkpoints", "step-3"));
    expect((await listRuns(path)).map((run) => run.path)).toEqual([path]);
  });

  test("those in it and in folders of it, by their names", async () => {
    const root = temporaryFolder();
    for (const name of ["b", "a/second", "a/first", "c/d/e", "c/d/f/g", ".hidden"]) {
      writeRunFiles(join(root, name));
    }
    writeFileSync(join(root, "notes.txt"), "no folder");
    // Deeper than three folders nothing is looked for.
    expect((await listRuns(root)).map(({ path }) => path)).toEqual(
      ["a/first", "a/second", "b", "c/d/e"].map((name) => join(root, name)),
    );
    const found = (depth?: number) => findFolders(root, isRunFolder, depth);
    expect(await found(1)).toEqual([join(root, "b")]);
    expect(await found(4)).toContain(join(root, "c/d/f/g"));
  });

  test("neither a model's, nor checkpoints without a config, nor one without anything", async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, "model"));
    writeFileSync(join(root, "model", "config.json"), "{}");
    mkdirSync(join(root, "left", "checkpoints"), { recursive: true });
    expect(await listRuns(root)).toEqual([]);
    expect(await isRunFolder(join(root, "model"))).toBe(false);
    expect(await isRunFolder(join(root, "left"))).toBe(false);
  });

  test("a folder that is not there is an error", async () => {
    const path = join(temporaryFolder(), "none");
    await expect(listRuns(path)).rejects.toThrow(
      `${path}: there is no such folder. Name the folder that holds the runs: pupil runs [folder]`,
    );
  });
});

describe("how far a run is", () => {
  const lastEvaluation = {
    ...{ "heldOut.loss": 2, "heldOut.accuracy": 0.5 },
    "heldOut.forwardKl": 0.5,
  };

  test("one that was stopped: to its newest checkpoint, whatever its log goes on to", async () => {
    const checkpoints = (...steps: number[]) =>
      listed((path) => {
        for (const step of steps) mkdirSync(join(path, "checkpoints", `step-${step}`));
      });
    const stopped = { state: "stopped", steps: 3, metrics: lastEvaluation };
    expect(await checkpoints()).toMatchObject({ ...stopped, done: 0 });
    expect(await checkpoints(1)).toMatchObject({ ...stopped, done: 1 });
    expect(await checkpoints(10, 9, 2)).toMatchObject({ ...stopped, done: 10 });
  });

  test("one that a process holds: to the last step of its log", async () => {
    const path = writeRunFiles(temporaryFolder());
    const lock = await lockRun(path);
    try {
      expect(await listRuns(path)).toEqual([
        { path, state: "running", steps: 3, done: 3, metrics: lastEvaluation },
      ]);
    } finally {
      await lock.release();
    }
    expect(await listRuns(path)).toMatchObject([{ state: "stopped", done: 0 }]);
  });

  test("one that has no log yet", async () => {
    const path = writeRunFiles(temporaryFolder());
    renameSync(join(path, "metrics.jsonl"), join(path, "elsewhere"));
    const lock = await lockRun(path);
    try {
      expect(await listRuns(path)).toEqual([
        { path, state: "running", steps: 3, done: 0, metrics: {} },
      ]);
    } finally {
      await lock.release();
    }
  });

  test("one that ended: by its summary, with the measures that are numbers", async () => {
    const final = { "heldOut.loss": 1, "heldOut.forwardKl": Infinity, old: null };
    const metrics = { "heldOut.loss": 1, "heldOut.forwardKl": Infinity };
    const ended = { steps: 3, done: 2, metrics };
    expect(await summarized({ final, steps: 2, diverged: false })).toMatchObject({
      ...{ ...ended, state: "finished" },
    });
    const diverged = await summarized({ final, steps: 2, diverged: true });
    expect(diverged).toMatchObject({ ...ended, state: "diverged" });
    expect(Object.keys(diverged?.metrics ?? {})).not.toContain("old");
  });

  test("a config of one's own loop asks for no number of steps, which is no fault", async () => {
    const run = await listed((path) => writeFileSync(join(path, "config.json"), '{"mine":1}'));
    expect(run).toMatchObject({ state: "stopped", steps: 0 });
  });

  test("broken files are a broken run, not the end of the list", async () => {
    const broken = { state: "broken", done: 0, steps: 0, metrics: {} };
    for (const text of ["{", "[]", "7"]) {
      const run = await listed((path) => writeFileSync(join(path, "config.json"), text));
      expect(run, text).toMatchObject(broken);
    }
    for (const summary of [[], { steps: -1 }, { final: 3 }]) {
      expect(await summarized(summary), JSON.stringify(summary)).toMatchObject(broken);
    }
    const root = temporaryFolder();
    for (const name of ["bad", "good"]) writeRunFiles(join(root, name));
    writeFileSync(join(root, "bad", "config.json"), "{");
    expect((await listRuns(root)).map(({ state }) => state)).toEqual(["broken", "stopped"]);
  });

  test("a summary may lack what it does not know; a number of steps below 0 is none", async () => {
    expect(await summarized({})).toMatchObject({
      ...{ state: "finished", done: 0, steps: 3, metrics: {} },
    });
    const config = (trainer: unknown) =>
      listed((path) => writeFileSync(join(path, "config.json"), JSON.stringify({ trainer })));
    expect(await config({ steps: 0 })).toMatchObject({ state: "stopped", steps: 0 });
    expect(await config({ steps: 7 })).toMatchObject({ state: "stopped", steps: 7 });
    for (const trainer of [{ steps: -1 }, { steps: 1.5 }, {}, 3]) {
      expect(await config(trainer)).toMatchObject({ state: "stopped", steps: 0 });
    }
    expect(await summarized({ steps: 1.5 })).toMatchObject({ state: "broken" });
    expect(await summarized({ diverged: 1 })).toMatchObject({ state: "broken" });
  });
});
