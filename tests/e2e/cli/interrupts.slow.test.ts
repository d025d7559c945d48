import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { startCli } from "./cli-process.js";

const config = (changes: object = {}) => ({
  name: "run",
  backend: "cpu",
  student: { architecture: { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
  data: { type: "task", task: { type: "addition", maxDigits: 1, style: "direct" } },
  trainer: { type: "sft", steps: 2_000, batchSize: 2 },
  evaluation: { every: 0, rows: 2 },
  ...changes,
});

/** Starts a training and does something once it has said `when`. */
async function trainUntil(
  folder: string,
  when: string,
  act: (kill: (signal: NodeJS.Signals) => void) => void,
) {
  const { child, finished } = startCli(["train", "run.json"], folder);
  let text = "";
  let hasActed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (hasActed || !text.includes(when)) return;
    hasActed = true;
    act((signal) => void child.kill(signal));
  });
  return finished;
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends a training while its weights are made, with a word", async (signal, code) => {
  const folder = temporaryFolder();
  // 200 million numbers to be drawn: a minute.
  const architecture = { family: "llama", hiddenSize: 2048, numLayers: 4, numHeads: 16 };
  writeFileSync(join(folder, "run.json"), JSON.stringify(config({ student: { architecture } })));
  const startMs = performance.now();
  const result = await trainUntil(folder, "Computing with", (kill) => {
    setTimeout(() => kill(signal), 500);
  });
  expect(result).toMatchObject({ code });
  expect(result.stdout).toContain("Interrupted before the training began");
  expect(performance.now() - startMs).toBeLessThan(40_000);
  expect(readdirSync(folder)).toEqual(["run.json"]);
});

test("SIGTERM in a training saves a checkpoint and says how to go on", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "run.json"), JSON.stringify(config()));
  const result = await trainUntil(folder, "step 40/", (kill) => kill("SIGTERM"));
  expect(result.code).toBe(143);
  expect(result.stdout).toMatch(/Stopped at step \d+: .*\nContinue with: pupil train resume=/);
  expect(existsSync(join(folder, "runs/run/run.lock"))).toBe(false);
});

test("a run folder that vanishes is missed at the next step", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "run.json"), JSON.stringify(config()));
  const result = await trainUntil(folder, "step 40/", () => {
    renameSync(join(folder, "runs"), join(folder, "elsewhere"));
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/error: step \d+: .*runs\/run: The run folder has vanished\./);
  expect(existsSync(join(folder, "runs"))).toBe(false);
});
