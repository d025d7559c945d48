/** Whole runs on WebGPU: every trainer against the same run on the CPU engine, stopped and resumed against a whole one. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { startBackend } from "../../../src/backend/index.js";
import { parseConfig, recordOptionsSchema, type RunConfig } from "../../../src/config/index.js";
import { nodePlatform, recordTeacher } from "../../../src/node/index.js";
import { useCpu } from "../../setup/backend.js";
import { metricsOf, runToEnd, tinyRun, weightsOf } from "../../setup/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../setup/tiny-teacher.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

const steps = { steps: 4, batchSize: 2, warmupSteps: 2, learningRate: 0.02 };
const rerank = { type: "task", task: { type: "rerank", topics: 4, synonyms: 2, candidates: 3 } };
const ragged = { type: "task", task: { type: "addition", maxDigits: 3, style: "scratchpad" } };
const architecture = { family: "llama", hiddenSize: 16, numLayers: 2, numHeads: 2 };
/** Few and short, since a GPU in software takes a second for a token. */
const evaluation = { every: 4, rows: 2, maxNewTokens: 4 };

/** By name, the changes of a tiny run; `from` is a model folder. */
const kinds: Readonly<Record<string, (from: string, folder: string) => object | Promise<object>>> =
  {
    sft: () => ({ student: { architecture }, trainer: { type: "sft", ...steps }, evaluation }),
    "sft of GPT-2": () => ({
      student: { architecture: { ...architecture, family: "gpt2" } },
    }),
    "sft, packed": () => ({
      data: ragged,
      trainer: { type: "sft", packing: true, ...steps },
    }),
    distill: (from) => ({
      student: { architecture },
      teacher: { from },
      trainer: {
        ...{ type: "distill", ...steps, onPolicyFraction: 0.5, gradientAccumulationSteps: 2 },
        loss: [{ type: "reverse-kl" }, { type: "cross-entropy", weight: 0.3 }],
        maxNewTokens: 12,
      },
    }),
    "distill of an adapter": (from) => ({
      student: { from, lora: { rank: 2, alpha: 4, targets: ["q_proj", "v_proj", "down_proj"] } },
      teacher: { type: "self", adapter: "none" },
      trainer: {
        ...{ type: "distill", ...steps, onPolicyFraction: 0.5 },
        loss: [{ type: "cross-entropy" }, { type: "reverse-kl", weight: 0.1 }],
      },
    }),
    "distill from a recording": async (from, folder) => {
      const trainer = {
        ...{ type: "distill", ...steps, onPolicyFraction: 0 },
        loss: [{ type: "sparse-kl" }],
      };
      const path = join(folder, "rows.jsonl");
      const rows = ["1+1=", "2+3=", "4+4=", "5+2=", "7+2=", "6+1="].map((prompt, i) => ({
        ...{ prompt, completion: String(i + 2) },
      }));
      writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
      const data = { type: "jsonl", path };
      const evaluation = { every: 0, rows: 2 };
      const teacher = { from, topK: 5 };
      const config = tinyRun(join(folder, "recorded"), { data, teacher, trainer, evaluation });
      const output = join(folder, "recording");
      const options = parseConfig(recordOptionsSchema, { output, dtype: "float32" }, "options");
      for await (const event of recordTeacher(config, options)) {
        expect(event.type).not.toBe("error");
      }
      return { data, trainer, evaluation, teacher: { type: "recorded", from: output } };
    },
    pairs: (from) => ({
      student: { from },
      teacher: { from },
      trainer: { type: "pairs", ...steps, loss: [{ type: "dpo" }, { type: "redi", weight: 0.1 }] },
      evaluation: { every: 0, rows: 2 },
    }),
    reinforce: () => ({
      trainer: {
        ...{ type: "reinforce", steps: 4, batchSize: 1, updatesPerRollout: 2, minibatches: 2 },
        maxNewTokens: 8,
        sampler: { type: "plain", samplesPerProblem: 2 },
        rewards: [{ type: "length", shape: "shorter" }],
        reference: "initial",
        loss: [
          { type: "policy-gradient" },
          { type: "sampled-reverse-kl", against: "reference", weight: 0.1 },
        ],
      },
      checkpoint: { every: 2 },
      evaluation: { every: 2, rows: 4 },
    }),
    rank: () => ({
      ...{ data: rerank, evaluation: { every: 4, rows: 2 } },
      student: { architecture: { ...architecture, tieWordEmbeddings: true } },
      trainer: {
        ...{ type: "rank", steps: 4, batchSize: 2, warmupSteps: 2, gradientAccumulationSteps: 2 },
        candidates: 2,
        loss: [
          { type: "candidate-cross-entropy", scores: "relevance", weight: 0.9 },
          { type: "list-kl", temperature: 2, weight: 0.1 },
        ],
      },
    }),
  };

/** Text of what the student wrote in evaluations. */
function completionsOf({ output, name }: RunConfig): string {
  return readFileSync(join(output, name, "completions.jsonl"), "utf8");
}

/** Numbers of two logs within float32 arithmetic of a few steps, all else equal. */
function expectNear(found: unknown, wanted: unknown, at: string): void {
  if (typeof wanted === "number") {
    const difference = Math.abs((found as number) - wanted);
    expect(difference, `${at}: ${String(found)}, ${wanted}`).toBeLessThanOrEqual(
      2e-3 * Math.max(0.05, Math.abs(wanted)),
    );
    return;
  }
  if (typeof wanted !== "object" || wanted === null) {
    expect(found, at).toEqual(wanted);
    return;
  }
  expect(Object.keys(found as object), at).toEqual(Object.keys(wanted));
  for (const [key, value] of Object.entries(wanted)) {
    expectNear((found as Record<string, unknown>)[key], value, `${at}.${key}`);
  }
}

describe.skipIf(!hasVulkan)(`runs on ${onWebGpu}`, () => {
  afterEach(useCpu);
  afterAll(useCpu);

  test.each(Object.keys(kinds))("%s: as on wasm, and resumed as whole", async (kind) => {
    const folder = temporaryFolder();
    await useCpu();
    const from = await saveTinyTeacher(folder);
    await startBackend("wasm", { platform: nodePlatform });
    const checkpoint = { every: 2 };
    const own = await (kinds[kind] as (typeof kinds)[string])(from, folder);
    const changes = { checkpoint, ...own };
    const onWasm = tinyRun(join(folder, "wasm"), changes);
    await runToEnd(onWasm);

    await useWebGpu();
    const whole = tinyRun(join(folder, "whole"), changes);
    const parts = tinyRun(join(folder, "parts"), changes);
    await runToEnd(whole);
    expectNear(metricsOf(whole), metricsOf(onWasm), kind);
    if ((whole.evaluation.every ?? 0) > 0 && kind !== "rank") {
      expect(completionsOf(whole)).toBe(completionsOf(onWasm));
    }

    // The adapter in software adds up in one order every time.
    const last = whole.trainer.steps;
    await runToEnd(parts, { stopAfter: last / 2 });
    const [resumed] = await runToEnd(parts, { resume: true });
    expect(resumed).toMatchObject({ type: "resumed", step: last / 2 });
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
    // An adapter is saved without the weights below it.
    if (kind !== "distill of an adapter") {
      expect(weightsOf(parts, last).equals(weightsOf(whole, last))).toBe(true);
    }
  });
});
