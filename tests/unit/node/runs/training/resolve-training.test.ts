import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveTraining } from "../../../../../src/node/index.js";
import { resolveRunConfig } from "../../../../../src/node/runs/evaluate-run.js";
import { runToEnd, tinyConfig, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

test("the config of a run folder makes a new run; what is left out is said", async () => {
  const folder = temporaryFolder();
  const run = tinyRun(folder);
  await runToEnd(run);
  const path = join(folder, "again.json");
  copyFileSync(join(folder, "tiny", "config.json"), path);
  const { config, notes } = await resolveTraining(path, ["name=again"]);
  expect(config).toEqual({ ...run, name: "again" });
  expect(notes).toEqual([
    `${path} is of a run that was made before: its "versions" have no say in a new one.`,
  ]);
  expect((await resolveRunConfig(path, [])).config).toEqual(run);
  const { resume, notes: none } = await resolveTraining(path, [`resume=${join(folder, "tiny")}`]);
  expect([resume, none]).toEqual([true, []]);
});

test("a config without versions is taken as it is", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "run.json");
  writeFileSync(path, JSON.stringify(tinyConfig(folder)));
  expect((await resolveTraining(path, [])).notes).toEqual([]);
  writeFileSync(path, JSON.stringify(tinyConfig(folder, { version: 1 })));
  await expect(resolveTraining(path, [])).rejects.toThrow(/version/);
});
