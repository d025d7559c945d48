import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveEvaluation, resolveTraining } from "../../../../src/node/index.js";
import { requireTrust } from "../../../../src/node/modules/trusted-modules.js";
import { runToEnd, tinyRun } from "../../../setup/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** A finished run whose config, as somebody could send it, names this module. */
async function sentRun(module: string): Promise<string> {
  const folder = temporaryFolder();
  const run = tinyRun(folder, { trainer: { type: "sft", steps: 1, batchSize: 2 } });
  await runToEnd(run);
  const path = join(folder, "tiny");
  const config = { ...run, losses: [module], versions: { pupil: "0" } };
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  return path;
}

test("code that a run folder names outside of the working folder runs only when it is trusted", async () => {
  const module = join(temporaryFolder(), "module.mjs");
  writeFileSync(module, "globalThis.ranModule = true; export const x = 1;");
  const run = await sentRun(module);
  const refused =
    /losses\.0: this run folder names a module outside.*module\.mjs, then add trust=true/;
  await expect(resolveTraining(undefined, [`resume=${run}`])).rejects.toThrow(refused);
  await expect(resolveEvaluation(run, [])).rejects.toThrow(refused);
  // The same config as a file is no less somebody else's.
  const file = join(run, "config.json");
  await expect(resolveTraining(file, ["name=other"])).rejects.toThrow(refused);
  await expect(resolveTraining(file, [`resume=${run}`])).rejects.toThrow(refused);
  await expect(resolveEvaluation(file, [])).rejects.toThrow(refused);
  expect(globalThis).not.toHaveProperty("ranModule");
  const loaded = /exports no loss definition/;
  await expect(resolveTraining(undefined, [`resume=${run}`, "trust=true"])).rejects.toThrow(loaded);
  await expect(resolveEvaluation(run, ["trust=true"])).rejects.toThrow(loaded);
  expect(globalThis).toHaveProperty("ranModule", true);
});

test("a module of the working folder needs no trust; a link out of it does", async () => {
  const inside = "examples/custom-loss/renyi-divergence.ts";
  await requireTrust("runs/x", { losses: [inside] }, false);
  const folder = temporaryFolder();
  const outside = join(folder, "real.mjs");
  writeFileSync(outside, "");
  mkdirSync("runs", { recursive: true });
  const link = join("runs", `link-${process.pid}.mjs`);
  symlinkSync(outside, link);
  try {
    await expect(requireTrust("runs/x", { losses: [inside, link] }, false)).rejects.toThrow(
      /losses\.1/,
    );
  } finally {
    (await import("node:fs")).rmSync(link);
  }
});
