/** Runs of every trainer, small enough for a GPU in software, and what two logs of one may differ in. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { parseConfig, recordOptionsSchema, type RunConfig } from "../../../src/config/index.js";
import { exportModel, loadModelFolder, recordTeacher } from "../../../src/node/index.js";
import { expectNear as near } from "../expect-near.js";
import { tinyRun } from "./runs.js";

const steps = { steps: 4, batchSize: 2, warmupSteps: 2, learningRate: 0.02 };
const rerank = { type: "task", task: { type: "rerank", topics: 4, synonyms: 2, candidates: 3 } };
const ragged = { type: "task", task: { type: "addition", maxDigits: 3, style: "scratchpad" } };
const architecture = { family: "llama", hiddenSize: 16, numLayers: 2, numHeads: 2 };
/** Few and short, since a GPU in software takes a second for a token. */
const evaluation = { every: 4, rows: 2, maxNewTokens: 4 };

/** By name, the changes of a tiny run; `from` is a model folder. */
export const runKinds: Readonly<
  Record<string, (from: string, folder: string) => object | Promise<object>>
> = {
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
  "distill from ONNX": async (from, folder) => {
    const onnx = join(folder, "onnx");
    const { model, tokenizer } = await loadModelFolder(from);
    await exportModel(onnx, { model, tokenizer }, { format: "onnx", dtype: "float32" });
    model.dispose();
    return {
      student: { architecture },
      teacher: { type: "onnx", from: onnx },
      trainer: {
        ...{ type: "distill", ...steps, onPolicyFraction: 0.5, maxNewTokens: 6 },
        loss: [{ type: "reverse-kl" }],
      },
      evaluation,
    };
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
export function completionsOf({ output, name }: RunConfig): string {
  return readFileSync(join(output, name, "completions.jsonl"), "utf8");
}

/** Numbers of two logs within float32 arithmetic of a few steps, all else equal. */
export const expectNear = (found: unknown, wanted: unknown, at: string): void =>
  near(found, wanted, at, { relative: 2e-3, least: 0.05 });
