import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { saveModelFolder } from "../../src/node/index.js";
import { startBackend } from "../../src/backend/index.js";
import { characterTokenizer, additionTask } from "../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../src/models/index.js";
import { nodePlatform } from "../../src/node/index.js";
import { Random } from "../../src/tensors/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { metricsOf, runToEnd, tinyRun, weightsOf } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

afterEach(useCpu);

const ragged = { type: "task", task: { type: "addition", maxDigits: 3, style: "scratchpad" } };

/** An untrained teacher is as good as any for comparing runs with each other. */
async function teacherFolder(folder: string, hiddenSize: number): Promise<string> {
  const alphabet = additionTask.alphabet({} as never);
  const tokenizer = characterTokenizer({ alphabet });
  const config = modelConfigSchema.parse({
    family: "llama",
    vocabSize: tokenizer.vocabSize,
    hiddenSize,
    numLayers: 1,
    numHeads: 2,
    maxPositions: 32,
    initializerRange: 0.3,
  });
  const model = initializeDecoder(config, new Random(9));
  await saveModelFolder(join(folder, "teacher"), model, tokenizer);
  model.dispose();
  return join(folder, "teacher");
}

test("a checkpoint says what computed it, and a run that goes on elsewhere says so", async () => {
  await startBackend("cpu", { platform: nodePlatform });
  const config = tinyRun(join(temporaryFolder(), "moved"), {});
  await runToEnd(config, { stopAfter: 4 });
  const state = join(config.output, config.name, "checkpoints", "step-4", "trainer-state.json");
  expect(JSON.parse(readFileSync(state, "utf8"))).toMatchObject({ executor: "cpu" });
  await startBackend("wasm", { platform: nodePlatform });
  const [resumed] = await runToEnd(config, { resume: true });
  expect(resumed).toMatchObject({
    type: "resumed",
    notes: [expect.stringMatching(/written on cpu and is continued on wasm: .*not bit for bit/)],
  });
});

describe.each(["cpu", "wasm"] as const)("on %s, a run that was stopped and resumed", (backend) => {
  test.each([
    { type: "sft", packing: false, width: 8 },
    { type: "distill", packing: false, width: 8 },
    { type: "distill", packing: false, width: 12 },
    // Packing is arithmetic on the host: one backend is enough.
    ...(backend === "wasm"
      ? ["sft", "distill"].map((type) => ({ type, packing: true, width: 8 }))
      : []),
  ])("equals an uninterrupted $type run bit for bit, packing $packing, $width", async (trainer) => {
    const { type, packing, width } = trainer;
    await startBackend(backend, { platform: nodePlatform });
    const folder = temporaryFolder();
    const changes =
      type === "sft"
        ? packing
          ? { trainer: { type, packing, steps: 6, batchSize: 4, warmupSteps: 2 }, data: ragged }
          : {}
        : {
            teacher: { from: await teacherFolder(folder, width) },
            trainer: {
              type,
              packing,
              steps: 6,
              batchSize: 4,
              onPolicyFraction: 0.4,
              gradientAccumulationSteps: 2,
              loss: [
                { type: "reverse-kl" },
                { type: "cross-entropy", weight: 0.3 },
                // A wider teacher needs a projection, which is learned and saved too.
                ...(width === 8 ? [] : [{ type: "hidden-state" }]),
              ],
            },
          };
    const whole = tinyRun(join(folder, "whole"), changes);
    const parts = tinyRun(join(folder, "parts"), changes);
    await runToEnd(whole);
    const first = await runToEnd(parts, { stopAfter: 4 });
    expect(first.at(-1)).toMatchObject({ type: "finished", stopped: true });
    // What a kill after the last checkpoint leaves: rows that belong to no checkpoint.
    const run = join(parts.output, parts.name);
    appendFileSync(join(run, "metrics.jsonl"), '{"step":5,"loss":1}\n{"step":6,"lo');
    mkdirSync(join(run, "checkpoints", ".unfinished-step-5-x"));
    writeFileSync(join(run, "checkpoints", ".unfinished-step-5-x", "model.safetensors"), "half");
    const second = await runToEnd(parts, { resume: true });
    expect(second[0]).toMatchObject({ type: "resumed", step: 4 });

    expect(metricsOf(parts)).toEqual(metricsOf(whole));
    expect(weightsOf(parts, 6).equals(weightsOf(whole, 6))).toBe(true);
    // The comparison would not notice a student that does not move.
    expect(weightsOf(whole, 6).equals(weightsOf(whole, 3))).toBe(false);
    expect(tf.getBackend()).toBe(backend);
  });
});
