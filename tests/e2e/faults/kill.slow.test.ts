import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metricsOf, tinyRun, weightsOf } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli, startCli } from "../cli/cli-process.js";

/** The same run in two folders: one is left alone, one is killed while it writes. */
const config = (name: string) => ({
  name,
  backend: "cpu",
  // Large enough that writing a checkpoint takes a moment.
  student: { architecture: { family: "llama", hiddenSize: 64, numLayers: 1, numHeads: 2 } },
  data: { type: "task", task: { type: "addition", maxDigits: 1, style: "direct" } },
  trainer: { type: "sft", steps: 8, batchSize: 2 },
  evaluation: { every: 0, rows: 2 },
  checkpoint: { every: 1 },
});

function unfinishedIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.startsWith(".unfinished-step-"));
}

/** Starts a run and kills it (SIGKILL) as soon as a checkpoint after `step` is half-written. */
async function killWhileWriting(folder: string, name: string, step: number): Promise<boolean> {
  const { child, finished } = startCli(["train", `${name}.json`], folder);
  const checkpoints = join(folder, "runs", name, "checkpoints");
  let done = false;
  const watch = (): void => {
    const isLate = existsSync(join(checkpoints, `step-${step}`));
    if (isLate && unfinishedIn(checkpoints).length > 0) child.kill("SIGKILL");
    else if (!done) setImmediate(watch);
  };
  watch();
  await finished;
  done = true;
  return unfinishedIn(checkpoints).length > 0;
}

test("a kill -9 in the middle of a checkpoint write loses nothing but the steps after the last one", {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "whole.json"), JSON.stringify(config("whole")));
  expect((await runCli(["train", "whole.json"], folder)).code).toBe(0);

  let name = "";
  let killed = false;
  for (let attempt = 1; attempt <= 8 && !killed; attempt++) {
    name = `killed-${attempt}`;
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(config(name)));
    killed = await killWhileWriting(folder, name, 3);
  }
  expect(killed, "no attempt was killed while it wrote").toBe(true);

  const resumed = await runCli(["train", `resume=runs/${name}`], folder);
  expect(resumed.stdout).toMatch(/Resuming runs\/killed-\d after step [34567]/);
  expect(resumed.code).toBe(0);
  const output = join(folder, "runs");
  const [whole, again] = ["whole", name].map((run) => ({ ...tinyRun(output), name: run }));
  if (whole === undefined || again === undefined) throw new Error("unreachable");
  expect(metricsOf(again)).toEqual(metricsOf(whole));
  expect(weightsOf(again, 8).equals(weightsOf(whole, 8))).toBe(true);
  expect(unfinishedIn(join(output, name, "checkpoints"))).toEqual([]);
  const summary = readFileSync(join(output, name, "summary.json"), "utf8");
  expect(JSON.parse(summary)).toMatchObject({ steps: 8 });
});
