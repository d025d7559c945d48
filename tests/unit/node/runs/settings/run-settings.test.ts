/** Every setting of a config reaches what it is for: with another value the log is another. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { metricsOf, runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

let folder = "";
let teacher = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "settings-"));
  teacher = await saveTinyTeacher(folder);
  return () => rmSync(folder, { recursive: true });
});

const data = { type: "task", task: { type: "addition", maxDigits: 2, style: "direct" } };
const ranked = { type: "task", task: { type: "rerank", topics: 4, synonyms: 2, candidates: 4 } };
const common = { steps: 2, batchSize: 4, warmupSteps: 0, learningRate: 0.05 };
const evaluation = { every: 0, rows: 2, maxNewTokens: 3 };
let runs = 0;

/** What a run of these settings logs, and what its completions are. */
async function logOf(changes: object): Promise<string> {
  const output = join(folder, `${runs++}`);
  const config = tinyRun(output, { data, evaluation, ...changes });
  await runToEnd(config);
  const read = (name: string) => {
    try {
      return readFileSync(join(output, "tiny", name), "utf8");
    } catch {
      return "";
    }
  };
  return [
    JSON.stringify(metricsOf(config)),
    read("completions.jsonl"),
    read("traces.jsonl"),
  ].join();
}

type Trainers = Readonly<
  Record<string, { base: () => object; changes: readonly (readonly [string, object])[] }>
>;

const ofAll = [
  ["batchSize", { batchSize: 2 }],
  ["gradientAccumulationSteps", { gradientAccumulationSteps: 2 }],
  ["learningRate", { learningRate: 0.01 }],
  ["schedule", { schedule: "constant" }],
  ["warmupSteps", { warmupSteps: 1 }],
  ["finalLearningRateFraction", { finalLearningRateFraction: 0.9 }],
  ["maxGradNorm", { maxGradNorm: 1e-3 }],
  ["optimizer", { optimizer: { beta1: 0.5 } }],
] as const;
const sampled = [
  ["sampling.samplingTemperature", { sampling: { samplingTemperature: 0.3 } }],
  ["sampling.topK", { sampling: { topK: 2 } }],
  ["sampling.greedy", { sampling: { greedy: true } }],
  ["maxNewTokens", { maxNewTokens: 2 }],
] as const;

const trainers: Trainers = {
  sft: {
    base: () => ({ type: "sft", ...common, finalLearningRateFraction: 0.1 }),
    changes: [
      ...ofAll,
      ["packing", { packing: true }],
      ["loss", { loss: [{ type: "cross-entropy", labelSmoothing: 0.1 }] }],
    ],
  },
  distill: {
    base: () => ({
      ...{ type: "distill", ...common, onPolicyFraction: 0.5 },
      loss: [{ type: "policy-gradient" }, { type: "reverse-kl" }],
    }),
    changes: [
      ...sampled,
      ["packing", { packing: true }],
      ["onPolicyFraction", { onPolicyFraction: 1 }],
      ["advantageDiscount", { advantageDiscount: 0.9 }],
      [
        "replay",
        {
          replay: { threshold: 1, every: 1 },
          ...{ onPolicyFraction: 1, loss: [{ type: "reverse-kl" }] },
        },
      ],
    ],
  },
  reinforce: {
    base: () => ({
      ...{ type: "reinforce", ...common, batchSize: 2, maxNewTokens: 12 },
      rewards: [{ type: "length" }],
      sampler: { type: "plain", samplesPerProblem: 4 },
    }),
    changes: [
      ...sampled.filter(([name]) => name !== "sampling.greedy"),
      ["batchSize", { batchSize: 1 }],
      ["packing", { packing: true }],
      ["sampler.samplesPerProblem", { sampler: { type: "plain", samplesPerProblem: 3 } }],
      ["rewards", { rewards: [{ type: "length", shape: "shorter" }] }],
      ["advantage.baseline", { advantage: { baseline: "leave-one-out" } }],
      ["advantage.teacher", { advantage: { teacher: { weight: 1 } } }],
      ["updatesPerRollout", { updatesPerRollout: 2 }],
      ["minibatches", { updatesPerRollout: 2, minibatches: 2 }],
      ["loss.rows", { loss: [{ type: "policy-gradient", rows: "succeeding" }] }],
      [
        "reference",
        {
          reference: "initial",
          loss: [{ type: "policy-gradient" }, { type: "reverse-kl", against: "reference" }],
        },
      ],
    ],
  },
  pairs: {
    base: () => ({ type: "pairs", ...common, loss: [{ type: "dpo" }] }),
    changes: [["loss", { loss: [{ type: "dpo", beta: 0.5 }] }]],
  },
  rank: {
    base: () => ({
      ...{ type: "rank", ...common, batchSize: 2 },
      loss: [{ type: "candidate-cross-entropy", scores: "relevance" }],
    }),
    changes: [["candidates", { candidates: 2 }]],
  },
};

describe.each(Object.entries(trainers))("%s", (type, { base, changes }) => {
  const more = (): object => ({
    ...(type === "rank" ? { data: ranked } : {}),
    ...(type === "sft" || type === "rank" ? {} : { teacher: { from: teacher } }),
    ...(type === "pairs" ? { student: { from: teacher } } : {}),
  });
  let usual = "";
  beforeAll(async () => {
    usual = await logOf({ ...more(), trainer: base() });
  });

  test.each(changes)("%s", async (_name, change) => {
    expect(await logOf({ ...more(), trainer: { ...base(), ...change } })).not.toBe(usual);
  });

  test("seed, and nothing else", async () => {
    expect(await logOf({ ...more(), trainer: base() })).toBe(usual);
    expect(await logOf({ ...more(), trainer: base(), seed: 7 })).not.toBe(usual);
  });
});

describe("evaluation", () => {
  const trainer = { type: "sft", ...common, steps: 2 };
  const more = () => ({ trainer, teacher: { from: teacher } });
  let usual = "";
  beforeAll(async () => {
    usual = await logOf(more());
  });

  test.each([
    ["every", { every: 1 }],
    ["rows", { rows: 4 }],
    ["sampling", { sampling: { samplingTemperature: 2 } }],
    ["maxNewTokens", { maxNewTokens: 1 }],
    ["traces", { traces: 1 }],
    ["samplesPerPrompt", { samplesPerPrompt: 2 }],
    ["data", { data: { ...data, task: { ...data.task, maxDigits: 1 } } }],
  ])("%s", async (_name, change) => {
    expect(await logOf({ ...more(), evaluation: { ...evaluation, ...change } })).not.toBe(usual);
  });
});
