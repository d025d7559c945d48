import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli, startCli } from "./cli-process.js";

const tinyConfig = {
  name: "tiny",
  backend: "cpu",
  student: { architecture: { family: "gpt2", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
  data: { type: "text", path: "input.txt", sequenceLength: 8, promptLength: 2 },
  trainer: { type: "sft", steps: 4, batchSize: 2 },
  evaluation: { every: 2, rows: 2 },
  checkpoint: { every: 2 },
};

/** A folder with a text and a config for it. */
function workspace(changes: object = {}): string {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "input.txt"),
    "To be, or not to be, that is the question. ".repeat(20),
  );
  writeFileSync(join(folder, "run.json"), JSON.stringify({ ...tinyConfig, ...changes }));
  return folder;
}

describe("the command line", { timeout: 120_000 }, () => {
  test("trains on a user's text, evaluates, generates", async () => {
    const folder = workspace();
    const trained = await runCli(["train", "run.json", "trainer.learningRate=0.01"], folder);
    expect(trained.stdout).toContain("tokens to train on");
    expect(trained.stdout).toMatch(
      /step 4\/4 {2}cross-entropy [\d.]+ {2}studentEntropy [\d.]+ {2}[\d,.]+ tokens\/s/,
    );
    expect(trained.stdout).toMatch(
      /Finished at step 4: .*\nWhat it reached\n.*\n│ measure +│ first +│ last +│ best +│ at step │\n/,
    );
    expect(trained.stdout).toMatch(/│ heldOut.loss +│ [\d.]+ +│ [\d.]+ +│ [\d.]+ +│ \d +│/);
    expect(trained.stdout).toContain("\n  pupil evaluate runs/tiny\n");
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    const run = join(folder, "runs", "tiny");
    expect(readdirSync(run).sort()).toEqual([
      "checkpoints",
      "completions.jsonl",
      "config.json",
      "data.json",
      "metrics.jsonl",
      "summary.json",
    ]);
    const checkpoint = readdirSync(join(run, "checkpoints", "step-4")).sort();
    expect(checkpoint).toEqual([
      "complete.json",
      "config.json",
      "model.safetensors",
      "optimizer.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "trainer-state.json",
    ]);
    const config = JSON.parse(readFileSync(join(run, "config.json"), "utf8")) as {
      trainer: { learningRate: number };
      versions: object;
    };
    expect(config.trainer.learningRate).toBe(0.01);
    expect(config.versions).toHaveProperty("tfjs");

    const [evaluated, generated] = await Promise.all([
      runCli(["evaluate", "runs/tiny", "json=measures.json"], folder),
      runCli(["generate", "runs/tiny", "To ", "maxNewTokens=5", "backend=cpu"], folder),
    ]);
    const summary = JSON.parse(readFileSync(join(run, "summary.json"), "utf8")) as {
      final: Record<string, number>;
    };
    expect(evaluated.stdout).toMatch(/│ heldOut\.loss +│ [\d.]+ +│\n/);
    const measures = JSON.parse(readFileSync(join(folder, "measures.json"), "utf8")) as object;
    expect(measures).toMatchObject({ metrics: summary.final });
    expect(generated.stdout).toMatch(/^To .{5}\n$/s);
  });

  test("Ctrl-C ends with a checkpoint and says how to continue", async () => {
    const folder = workspace({ checkpoint: { every: 0 }, evaluation: { every: 0, rows: 2 } });
    const { child, finished } = startCli(["train", "run.json", "trainer.steps=100000"], folder);
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("Run folder")) child.kill("SIGINT");
    });
    const { code, stdout } = await finished;
    expect(stdout).toContain("Stopping after this step");
    expect(stdout).toMatch(/Stopped at step \d+/);
    expect(stdout).toContain("pupil train resume=runs/tiny");
    expect(code).toBe(130);
    expect(readdirSync(join(folder, "runs", "tiny", "checkpoints"))).toHaveLength(1);
    expect(existsSync(join(folder, "runs", "tiny", "summary.json"))).toBe(false);
  });

  test("a mistake is one clear sentence and a non-zero exit", async () => {
    const folder = workspace();
    const [typo, missing, unknown, again] = await Promise.all([
      runCli(["train", "run.json", "trainer.stepz=5"], folder),
      runCli(["train", "rum.json"], folder),
      runCli(["describe", "revers-kl"], folder),
      runCli(["train"], folder),
    ]);
    expect(typo).toMatchObject({ code: 1, stdout: "" });
    expect(typo.stderr).toBe(
      'error: run.json: trainer.stepz is not a field. Did you mean "steps"? Allowed: type, steps, batchSize, gradientAccumulationSteps, packing, maxGradNorm, learningRate, schedule, warmupSteps, finalLearningRateFraction, optimizer, loss.\n',
    );
    expect(missing.stderr).toMatch(/^error: rum.json: The run config does not exist\. .*\n$/);
    expect(unknown.stderr).toContain('Did you mean "reverse-kl"?');
    expect(again.stderr).toContain("pupil train <config.json> [key=value …]");
    for (const { code } of [missing, unknown, again]) expect(code).toBe(1);
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });
});
