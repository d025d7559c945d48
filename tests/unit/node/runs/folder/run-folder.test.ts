import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { replaceDisk } from "../../../../../src/node/files/disk.js";
import {
  checkpointSteps,
  createRunFolder,
  openRunFolder,
  readRunConfig,
  type RunFolder,
  withoutVersions,
} from "../../../../../src/node/runs/folder/run-folder.js";
import { diskCalls } from "../../../../setup/runs/disk-calls.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

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

describe("the files of a run", () => {
  test("have each their name and their form", async () => {
    const path = join(temporaryFolder(), "run");
    const run = await createRunFolder(path, { name: "x", least: -Infinity });
    const seen = watchDisk();
    await run.writeSummary({ final: { loss: NaN } });
    await run.writeFingerprint({ sha256: "a" });
    await run.writeProblems({ heldOut: [true] });
    await run.appendCompletions([{ step: 1 }, { step: 2 }]);
    await run.appendTraces([{ version: 1, step: 1, set: "s", prompt: "p", tokens: [] }]);
    await run.log({ type: "step", step: 1, values: { loss: Infinity } });
    const text = (name: string) => readFileSync(join(path, name), "utf8");
    expect(text("config.json")).toBe('{\n  "name": "x",\n  "least": "-Infinity"\n}\n');
    expect(text("summary.json")).toBe('{\n  "final": {\n    "loss": "NaN"\n  }\n}\n');
    expect(text("data.json")).toBe('{\n  "sha256": "a"\n}\n');
    expect(text("problems.json")).toBe('{\n  "heldOut": [\n    true\n  ]\n}\n');
    expect(text("completions.jsonl")).toBe('{"step":1}\n{"step":2}\n');
    expect(text("traces.jsonl")).toBe(
      '{"version":1,"step":1,"set":"s","prompt":"p","tokens":[]}\n',
    );
    expect(JSON.parse(text("metrics.jsonl"))).toMatchObject({
      ...{ type: "step", step: 1, loss: "Infinity", time: expect.any(String) as string },
    });
    // What a run is known by is whole at any moment; logs are synced with checkpoints.
    for (const name of ["summary.json", "data.json", "problems.json"]) {
      expect(seen).toContain(`rename ${name}`);
    }
    expect(seen.filter((call) => call.endsWith(".jsonl"))).toEqual([]);
    expect(run.checkpointPath(7)).toBe(join(path, "checkpoints", "step-7"));
    await run.close();
  });

  test("are written by the one who holds the folder alone", async () => {
    const path = join(temporaryFolder(), "run");
    const run = await createRunFolder(path, {});
    const before = readdirSync(path).filter((name) => name !== "run.lock");
    rmSync(join(path, "run.lock"));
    const row = { type: "resume", step: 0 } as const;
    for (const write of [
      () => run.log(row),
      () => run.writeSummary({}),
      () => run.appendCompletions([{ step: 1 }]),
      () => run.syncLogs(),
      () => run.goBackTo(0),
    ]) {
      await expect(write()).rejects.toThrow("no longer holds the run folder");
    }
    expect(readdirSync(path)).toEqual(before);
    await run.close();
  });

  test("that were half-written are removed where a run is made or opened", async () => {
    const path = join(temporaryFolder(), "run");
    const places = ["", "checkpoints"].map((name) => join(path, name, ".unfinished-x"));
    mkdirSync(join(path, "checkpoints"), { recursive: true });
    writeFileSync(places[0] as string, "");
    await (await createRunFolder(path, {})).close();
    expect(existsSync(places[0] as string)).toBe(false);
    for (const place of places) writeFileSync(place, "");
    for (const name of ["metrics.jsonl.1", "completions.jsonl.22", "metrics.jsonl.x", "a.1"]) {
      writeFileSync(join(path, name), "");
    }
    await (await openRunFolder(path)).run.close();
    expect(readdirSync(path).sort()).toEqual([
      "a.1",
      "checkpoints",
      "config.json",
      "metrics.jsonl.x",
    ]);
    expect(readdirSync(join(path, "checkpoints"))).toEqual([]);
  });

  test("let go of their folder where it cannot be made or opened", async () => {
    const path = join(temporaryFolder(), "run");
    const putBack = replaceDisk((real) => ({
      ...real,
      rename: () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })),
    }));
    onTestFinished(putBack);
    await expect(createRunFolder(path, {})).rejects.toThrow("the disk is full");
    putBack();
    expect(readdirSync(path)).toEqual(["checkpoints"]);
    mkdirSync(join(path, "checkpoints", "step-1"));
    await expect(openRunFolder(path)).rejects.toThrow("None of its 1 checkpoints is whole");
    expect(existsSync(join(path, "run.lock"))).toBe(false);
  });
});

test("a stored config is one without its versions, whatever it holds", async () => {
  expect(withoutVersions({ name: "x", versions: { pupil: "1" } })).toEqual({ name: "x" });
  for (const value of [null, undefined, 3, "text"]) expect(withoutVersions(value)).toBe(value);
  const folder = temporaryFolder();
  await expect(readRunConfig(folder)).rejects.toThrow(
    `${folder}: There is no run in this folder (no config.json). Give the run's own folder, such as runs/<name>.`,
  );
  writeFileSync(join(folder, "config.json"), "[]");
  await expect(readRunConfig(folder)).rejects.toThrow(
    "The config of the run is [], expected an object",
  );
});

test("a run that another process made in the same moment is left alone", async () => {
  const path = join(temporaryFolder(), "run");
  diskCalls((call) => {
    // Behind the first look, before the folder is ours.
    if (call === "open run.lock wx") writeFileSync(join(path, "config.json"), "another's");
  });
  await expect(createRunFolder(path, { name: "mine" })).rejects.toThrow(
    `${path}: A run with this name exists already.`,
  );
  expect(readFileSync(join(path, "config.json"), "utf8")).toBe("another's");
  expect(existsSync(join(path, "run.lock"))).toBe(false);
});
