import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startBackend } from "../../../../src/backend/index.js";
import { compareRuns, listRuns } from "../../../../src/node/index.js";
import { lockRun } from "../../../../src/node/runs/folder/run-lock.js";
import { runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** A run that is done, without training it. */
function writeRun(folder: string, config: object, final: object): string {
  mkdirSync(join(folder, "checkpoints/step-2"), { recursive: true });
  const trainer = { type: "sft", steps: 2, batchSize: 4, learningRate: 0.1 };
  const files = {
    "config.json": { seed: 1, name: "r", output: "runs", trainer, versions: {}, ...config },
    "summary.json": { steps: 2, diverged: false, final },
    "problems.json": { heldOut: [true, false, true, true] },
  };
  for (const [name, value] of Object.entries(files)) {
    writeFileSync(join(folder, name), JSON.stringify(value));
  }
  const rows = [1, 2].map((step) => ({
    step,
    terms: {},
    learningRate: 0.1,
    tokens: 10,
    elapsedMs: 500,
  }));
  const lines = [...rows, { step: 2, ...final }].map((row) => JSON.stringify(row));
  writeFileSync(join(folder, "metrics.jsonl"), `${lines.join("\n")}\n`);
  return folder;
}

const slow = { trainer: { type: "sft", steps: 2, batchSize: 4, learningRate: 0.01 } };

describe("runs that exist", () => {
  const make = () => {
    const folder = temporaryFolder();
    const run = (name: string, config: object, loss: number) =>
      writeRun(join(folder, name), config, { "heldOut.loss": loss, "heldOut.accuracy": 0.75 });
    return { folder, run };
  };

  test("are arms where their configs differ, and pairs where only their seeds do", async () => {
    const { run } = make();
    const paths = [
      ...[run("a1", {}, 1), run("a2", { seed: 2 }, 2)],
      ...[run("b1", slow, 3), run("b2", { ...slow, seed: 2, name: "other" }, 5)],
    ];
    const { results } = await compareRuns(paths);
    expect(Object.keys(results.arms)).toEqual(["learningRate=0.1", "learningRate=0.01"]);
    expect(results.paired["learningRate=0.01"]?.["heldOut.loss"]).toMatchObject({
      ...{ difference: 2.5, seeds: 2, baseline: "learningRate=0.1" },
    });
    expect(results.cost["learningRate=0.1"]).toMatchObject({ steps: 2, seconds: 1 });
    expect(results.finished).toBe(true);
  });

  test("are refused where there is nothing to compare", async () => {
    const { run } = make();
    const a = run("a", {}, 1);
    await expect(compareRuns([a, run("b", { seed: 2 }, 2)])).rejects.toThrow(/nothing to compare/);
    await expect(compareRuns([a, run("c", {}, 2), run("d", slow, 1)])).rejects.toThrow(
      /c: has config and seed of .*a\./,
    );
    rmSync(join(a, "summary.json"));
    await expect(compareRuns([a])).rejects.toThrow(/not finished/);
  });

  test("are listed with what has become of them", async () => {
    const { folder, run } = make();
    run("group/done", {}, 1);
    const held = run("held", {}, 2);
    rmSync(join(held, "summary.json"));
    const stopped = run("stopped", {}, 3);
    rmSync(join(stopped, "summary.json"));
    mkdirSync(join(folder, "broken/checkpoints"), { recursive: true });
    writeFileSync(join(folder, "broken/config.json"), "{");
    mkdirSync(join(folder, "broken-too/checkpoints"), { recursive: true });
    writeFileSync(join(folder, "broken-too/config.json"), "null");
    const odd = run("summary", {}, 4);
    writeFileSync(
      join(odd, "summary.json"),
      '{"final": {"a": null, "b": "-Infinity"}, "steps": 2}',
    );
    writeFileSync(join(run("torn", {}, 5), "summary.json"), "[]");
    const lock = await lockRun(held);
    const runs = await listRuns(folder);
    await lock.release();
    const shown = runs.map(({ path, state, done, steps }) => [path, state, done, steps]);
    expect(
      shown.map(([path, ...rest]) => [String(path).slice(folder.length + 1), ...rest]),
    ).toEqual([
      ["broken", "broken", 0, 0],
      ["broken-too", "broken", 0, 0],
      ["group/done", "finished", 2, 2],
      ["held", "running", 2, 2],
      ["stopped", "stopped", 2, 2],
      ["summary", "finished", 2, 2],
      ["torn", "broken", 0, 0],
    ]);
    expect(runs[5]?.metrics).toEqual({ b: -Infinity });
    expect(runs[4]?.metrics).toEqual({ "heldOut.loss": 3, "heldOut.accuracy": 0.75 });
    await expect(listRuns(join(folder, "none"))).rejects.toThrow(/there is no such folder/);
  });
});

test("runs are compared and listed as they are written", async () => {
  const folder = temporaryFolder();
  await startBackend("cpu");
  for (const [name, learningRate] of Object.entries({ a: 1e-3, b: 0.01 })) {
    const trainer = { type: "sft", steps: 2, batchSize: 2, learningRate };
    await runToEnd(tinyRun(folder, { name, trainer, evaluation: { every: 0, rows: 2 } }));
  }
  const { results } = await compareRuns(["a", "b"].map((name) => join(folder, name)));
  expect(Object.keys(results.arms)).toEqual(["learningRate=0.001", "learningRate=0.01"]);
  expect(results.paired["learningRate=0.01"]).toHaveProperty(["heldOut.accuracy"]);
  expect((await listRuns(folder)).map(({ state }) => state)).toEqual(["finished", "finished"]);
});
