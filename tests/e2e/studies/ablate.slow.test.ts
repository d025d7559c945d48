import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tinyConfig } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli, startCli } from "../cli/cli-process.js";

test("an ablation that was killed continues, runs nothing twice, and tells what it found", {
  timeout: 180_000,
}, async () => {
  const folder = temporaryFolder();
  const run = tinyConfig("unused", { trainer: { type: "sft", steps: 12, batchSize: 4 } });
  const file = {
    name: "rates",
    run,
    arms: {
      slow: {},
      fast: { "trainer.learningRate": 0.1 },
      broken: { backend: "tensorflow" },
    },
    seeds: 2,
    claim: {
      text: "A higher rate leaves a lower loss.",
      comparisons: [{ arm: "fast", metric: "heldOut.loss", direction: "lower" }],
    },
  };
  writeFileSync(join(folder, "rates.json"), JSON.stringify(file));
  const words = ["ablate", "rates.json", "processes=2"];
  const { child, finished } = startCli(words, folder);
  const first = join(folder, "ablations/rates/cells/slow-seed-1/cell.json");
  while (!existsSync(first) && child.exitCode === null) await new Promise((r) => setTimeout(r, 50));
  child.kill("SIGKILL");
  await finished;
  const writtenAt = statSync(first).mtimeMs;

  const { code, stdout, stderr } = await runCli(words, folder);
  expect(stderr).toContain(
    "Rule: Supported if the 95 % interval of heldOut.loss of fast minus slow",
  );
  expect(stdout).toMatch(/fast − slow {2}heldOut\.loss {2}-?[\d.]+/);
  expect(stdout).toMatch(/failed: broken, seed 1; 2: backend: the tensorflow backend cannot start/);
  expect(code).toBe(1);
  expect(statSync(first).mtimeMs).toBe(writtenAt);
  const place = join(folder, "ablations/rates");
  const results = JSON.parse(readFileSync(join(place, "results.json"), "utf8")) as {
    arms: Record<string, Record<string, { values: object }>>;
    failed: object[];
    verdict: { result: string };
  };
  expect(Object.keys(results.arms["fast"]?.["heldOut.loss"]?.values ?? {})).toEqual(["1", "2"]);
  expect(results.failed).toHaveLength(2);
  expect(["supported", "contradicted", "cannot tell"]).toContain(results.verdict.result);
  expect(readFileSync(join(place, "report.html"), "utf8")).toContain("<svg");
  expect(readFileSync(join(place, "plots/arms-heldOut.loss.png")).subarray(1, 4).toString()).toBe(
    "PNG",
  );

  writeFileSync(
    join(folder, "rates.json"),
    JSON.stringify({ ...file, arms: { slow: {}, fast: { "trainer.learningRate": 0.2 } } }),
  );
  const mixed = await runCli(words, folder);
  expect(mixed.stderr).toMatch(/This folder holds another ablation/);
});
