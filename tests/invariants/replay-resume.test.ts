import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metricsOf, runToEnd, stepsOf, tinyRun, weightsOf } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import { saveTinyTeacher } from "../setup/models/tiny-teacher.js";

const replay = { capacity: 8, threshold: 0.7, every: 3, tolerance: 0, schedule: "decreasing" };

async function settings(folder: string, trainer: object = {}) {
  return {
    evaluation: { every: 0, rows: 2 },
    teacher: { from: await saveTinyTeacher(folder) },
    trainer: {
      ...{ type: "distill", steps: 14, batchSize: 4, loss: [{ type: "skew-kl" }], replay },
      ...trainer,
    },
  };
}

test("a stopped run has the rows of before, and goes on with them bit for bit", async () => {
  const folder = temporaryFolder();
  const changes = await settings(folder);
  const whole = tinyRun(join(folder, "whole"), changes);
  const parts = tinyRun(join(folder, "parts"), changes);
  await runToEnd(whole);
  await runToEnd(parts, { stopAfter: 7 });
  await runToEnd(parts, { resume: true });
  expect(metricsOf(parts)).toEqual(metricsOf(whole));
  expect(weightsOf(parts, 14).equals(weightsOf(whole, 14))).toBe(true);

  const steps = stepsOf(whole).filter((row) => row.replay);
  const kinds = steps.map(({ replay: found }) =>
    found?.written ? "written" : found?.replayed ? "replayed" : "data",
  );
  // Before and after the stop there is all that can be.
  expect(new Set(kinds)).toEqual(new Set(["data", "written", "replayed"]));
  expect(kinds.slice(7)).toContain("replayed");
  for (const [i, { replay: found, onPolicyShare, cost }] of steps.entries()) {
    expect(found?.validationLoss === undefined).toBe(i % 3 !== 0);
    expect(onPolicyShare).toBe(kinds[i] === "data" ? 0 : 1);
    // What was written before has been paid for.
    expect((cost?.studentTokens ?? 0) > 0).toBe(kinds[i] === "written");
    expect(found?.kept).toBeLessThanOrEqual(8);
  }
});

test("a checkpoint without its rows is refused", async () => {
  const folder = temporaryFolder();
  const run = tinyRun(join(folder, "run"), await settings(folder, { steps: 4 }));
  await runToEnd(run, { stopAfter: 2 });
  const file = join(run.output, run.name, "checkpoints", "step-2", "replay.json");
  // Without the mark nothing says that the file was changed: what it holds is checked all the same.
  rmSync(join(run.output, run.name, "checkpoints", "step-2", "complete.json"));
  const { rows } = JSON.parse(readFileSync(file, "utf8")) as { rows: unknown };
  writeFileSync(file, JSON.stringify({ threshold: 2, validationLoss: null, rows }));
  await expect(runToEnd(run, { resume: true })).rejects.toThrow(/replay.json: threshold/);
});

test("says what does not go with it", async () => {
  const folder = temporaryFolder();
  const refused = async (trainer: object) => {
    const run = tinyRun(join(folder, "refused"), await settings(folder, trainer));
    await expect(runToEnd(run)).rejects.toThrow(/trainer\.(replay\.capacity|onPolicyFraction)/);
  };
  await refused({ batchSize: 9 });
  await refused({ onPolicyFraction: 0.5 });
});
