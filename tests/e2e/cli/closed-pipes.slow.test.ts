import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tinyConfig } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { startCli } from "./cli-process.js";

test.each([["methods"], ["describe"], ["runs", "."]])(
  "%s whose output nobody reads ends quietly, with the code of SIGPIPE",
  { timeout: 60_000 },
  async (...words) => {
    const { child, finished } = startCli(words, temporaryFolder());
    child.stdout.destroy();
    const { code, stderr } = await finished;
    expect(stderr).toBe("");
    expect(code).toBe(141);
  },
);

test("a training whose progress nobody reads any more saves what it has", {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  const config = tinyConfig(folder, {
    trainer: { type: "sft", steps: 5_000, batchSize: 2 },
    evaluation: { every: 0, rows: 2 },
    checkpoint: { every: 0 },
  });
  writeFileSync(join(folder, "run.json"), JSON.stringify(config));
  const { child, finished } = startCli(["train", "run.json"], folder);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (/step \d+\/5/.test(said)) child.stdout.destroy();
  });
  expect((await finished).code).toBe(141);
  expect(readdirSync(join(folder, "tiny/checkpoints"))).toHaveLength(1);
  expect(existsSync(join(folder, "tiny/run.lock"))).toBe(false);
});
