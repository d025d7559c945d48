/** What a training writes and says besides its steps: where it begins, and where it goes on. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunConfig } from "../../../../../src/config/index.js";
import { type RunEvent, trainRun, versions } from "../../../../../src/node/index.js";
import { diskCalls } from "../../../../setup/runs/disk-calls.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const few = {
  trainer: { type: "sft", steps: 4, batchSize: 2 },
  evaluation: { every: 0, rows: 1 },
  checkpoint: { every: 2 },
};
const folderOf = ({ output, name }: RunConfig) => join(output, name);
const read = (config: RunConfig, name: string) =>
  readFileSync(join(folderOf(config), name), "utf8");
const json = (config: RunConfig, name: string) =>
  JSON.parse(read(config, name)) as Record<string, unknown>;

/** The rows of the log in a word each, with their step. */
const rowsOf = (config: RunConfig) =>
  read(config, "metrics.jsonl")
    .trim()
    .split("\n")
    .map((line) => {
      const { type, step } = JSON.parse(line) as { type: string; step: number };
      return `${type} ${step}`;
    });
const first = (events: readonly RunEvent[]) =>
  events[0] as Extract<RunEvent, { type: "started" | "resumed" }>;

describe("a run that begins", () => {
  test("writes its config with the versions, and what its data is like", async () => {
    const config = tinyRun(temporaryFolder(), few);
    const events = await runToEnd(config);
    expect(first(events)).toMatchObject({ type: "started", path: folderOf(config) });
    expect(first(events).notes.join()).toMatch(/Student: [\d,]+ parameters\./);
    expect(json(config, "config.json")).toEqual({ ...config, versions: versions() });
    expect(Object.keys(json(config, "data.json"))).toEqual(["sha256"]);
    expect(rowsOf(config)).toEqual([
      ...["step 1", "step 2", "checkpoint 2", "step 3", "step 4", "evaluation 4", "checkpoint 4"],
    ]);
    expect(existsSync(join(folderOf(config), "run.lock"))).toBe(false);
  });

  test("makes no folder before all else was found to work, and takes no other's", async () => {
    const config = tinyRun(temporaryFolder(), {
      ...{ ...few, teacher: { type: "hidden-markov", states: 2 } },
      trainer: { type: "sft", steps: 1, loss: [{ type: "dpo" }] },
    });
    await expect(runToEnd(config)).rejects.toThrow(/dpo/);
    expect(existsSync(folderOf(config))).toBe(false);
    const there = tinyRun(temporaryFolder(), few);
    await runToEnd(there);
    const before = read(there, "metrics.jsonl");
    // Said before anything is loaded.
    const broken = { ...there, student: { from: "none" } } as RunConfig;
    await expect(runToEnd(broken)).rejects.toThrow("A run with this name exists already.");
    expect(read(there, "metrics.jsonl")).toBe(before);
  });
});

describe("a run that goes on", () => {
  async function stopped(): Promise<RunConfig> {
    const config = tinyRun(temporaryFolder(), few);
    await runToEnd(config, { stopAfter: 2 });
    return config;
  }

  test("notes in its log where it does, and writes nothing anew that is the same", async () => {
    const config = await stopped();
    const calls = diskCalls();
    const events = await runToEnd(config, { resume: true });
    expect(first(events)).toEqual({ type: "resumed", path: folderOf(config), step: 2, notes: [] });
    expect(rowsOf(config)).toEqual([
      ...["step 1", "step 2", "checkpoint 2", "resume 2", "step 3", "step 4", "evaluation 4"],
      "checkpoint 4",
    ]);
    const renamed = calls
      .filter((call) => call.startsWith("rename"))
      .map((call) => call.split(" ")[2]);
    expect(renamed).toEqual(["problems.json", "step-4", "summary.json"]);
  });

  test("keeps what was changed of it, with the versions that it began with", async () => {
    const config = await stopped();
    const path = join(folderOf(config), "config.json");
    const began = { ...json(config, "config.json"), versions: { pupil: "0.0.1" } };
    writeFileSync(path, JSON.stringify(began));
    const changed = { ...config, checkpoint: { every: 1, keep: 9 } };
    await runToEnd(changed, { resume: true });
    expect(json(config, "config.json")).toEqual({ ...changed, versions: { pupil: "0.0.1" } });
    expect(readdirSync(join(folderOf(config), "checkpoints")).sort()).toEqual([
      ...["step-2", "step-3", "step-4"],
    ]);
  });

  test("begins again where it has no checkpoint, with the data of now", async () => {
    const config = await stopped();
    rmSync(join(folderOf(config), "checkpoints/step-2"), { recursive: true });
    writeFileSync(join(folderOf(config), "data.json"), '{"sha256":"of then"}');
    const events = await runToEnd(config, { resume: true });
    expect(first(events)).toMatchObject({ type: "resumed", step: 0, notes: [] });
    expect(json(config, "data.json")["sha256"]).toMatch(/^[\da-f]{64}$/);
    expect(rowsOf(config)[0]).toBe("resume 0");
    expect(rowsOf(config).filter((row) => row.startsWith("step"))).toHaveLength(4);
  });

  test("says what is another than it was: its data, its executor, rows of its log", async () => {
    const config = await stopped();
    const folder = folderOf(config);
    writeFileSync(join(folder, "data.json"), '{"sha256":"of then"}');
    const state = join(folder, "checkpoints/step-2/trainer-state.json");
    writeFileSync(state, readFileSync(state, "utf8").replace('"cpu"', '"wasm: SIMD"'));
    rmSync(join(folder, "checkpoints/step-2/complete.json"));
    const rows = read(config, "metrics.jsonl").split("\n").slice(1).join("\n");
    writeFileSync(join(folder, "metrics.jsonl"), rows);
    const { notes } = first(await runToEnd(config, { resume: true }));
    expect(notes).toEqual([
      expect.stringContaining("step 2 has no mark with hashes"),
      expect.stringContaining("written on wasm: SIMD and is continued on cpu"),
      expect.stringContaining("The data is not what the run began with"),
      "metrics.jsonl has 1 of the 2 steps that are done: the summary counts only those.",
    ]);
    // What the run began with stays what it is.
    expect(json(config, "data.json")).toEqual({ sha256: "of then" });
  });

  test("lets its folder go where it cannot", async () => {
    const config = await stopped();
    const shorter = { ...config, trainer: { ...config.trainer, steps: 1 } } as RunConfig;
    const path = folderOf(config);
    const work = trainRun({ config: shorter, path, resume: true }).next();
    await expect(work).rejects.toThrow("is 1, but 2 steps are done");
    expect(existsSync(join(path, "run.lock"))).toBe(false);
    expect(json(config, "config.json")).toMatchObject({ trainer: { steps: 4 } });
  });
});
