/** A step on packed rows is the step on one sequence per row, and so is a run. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TokenSequence } from "../../src/data/index.js";
import {
  crossEntropyLoss,
  initialLossStates,
  type LossTerm,
  lossTerm,
  policyGradientLoss,
  reverseKlLoss,
  sampledKlLoss,
  universalLogitLoss,
} from "../../src/losses/index.js";
import { initializeDecoder, type ModelConfig, modelConfigSchema } from "../../src/models/index.js";
import { ownDistribution, rolloutToSequence, sampleRollouts } from "../../src/rollouts/index.js";
import { type ModelTeacherOptions, modelTeacher } from "../../src/teachers/index.js";
import { Random } from "../../src/tensors/index.js";
import { splitIntoBatches } from "../../src/trainers/step/micro-batches.js";
import { knownRollouts } from "../../src/trainers/step/rollout-inputs.js";
import { computeGradients, type MicroBatch } from "../../src/trainers/step/step.js";
import { checkLoss } from "../../src/trainers/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { metricsOf, runToEnd, tinyRun } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import { useWasmEngine } from "../setup/backends/wasm-engine.js";

const sizes = { vocabSize: 11, hiddenSize: 8, numLayers: 2, numHeads: 2, maxPositions: 80 };
const llama = modelConfigSchema.parse({
  ...sizes,
  family: "llama",
  numKeyValueHeads: 1,
  initializerRange: 0.4,
});
const gpt2 = modelConfigSchema.parse({ ...sizes, family: "gpt2", initializerRange: 0.4 });

/** Very unequal rows, one with nothing to learn and one without a position. */
const lengths = {
  short: [19, 3, 7, 2, 12, 1, 5],
  /** Two that fill more than one of the engine's blocks of queries. */
  long: [60, 3, 21, 2, 9, 55, 1, 14, 30, 4],
};
let rowLengths: readonly number[] = lengths.short;

function dataRows(): TokenSequence[] {
  const random = new Random(3);
  return rowLengths.map((length, row) => {
    const ids = Array.from({ length }, () => random.integer(11));
    return { ids, completionStart: row === 3 ? 2 : 1 + (row % 2) };
  });
}

interface Settings {
  readonly loss: readonly LossTerm[];
  /** With a teacher, and rows that the student samples beside those of the data. */
  readonly distill?: ModelTeacherOptions;
  readonly student?: ModelConfig;
  readonly parts?: number;
  readonly largestLogitsBytes?: number;
}

async function stepOf(packing: boolean, settings: Settings) {
  const { loss, distill, student: config = llama, parts = 1, largestLogitsBytes } = settings;
  using student = initializeDecoder(config, new Random(1));
  using teacher = modelTeacher(initializeDecoder(llama, new Random(2)), "teacher", distill ?? {});
  const prompts = Array.from({ length: distill ? 6 : 0 }, (_, i) => [i, i + 1].slice(i % 2));
  const rollouts = await sampleRollouts({
    ...{ model: student, prompts, endIds: [3, 4], padId: 0, maxNewTokens: 12 },
    ...{ policy: ownDistribution, random: new Random(5) },
  });
  const own = rollouts.map((rollout) => rolloutToSequence(rollout));
  using batches = splitIntoBatches(own, dataRows(), parts, 0, { packing });
  const signals = checkLoss(loss, {
    studentVocabSize: 11,
    ...(distill && { teacher }),
    onPolicyFraction: distill ? 0.4 : 0,
    gradientAccumulationSteps: parts,
    packing,
  });
  const scored: MicroBatch[] = [];
  for (const part of batches.parts) {
    const { batch, firstRow, onPolicyRows } = part;
    expect(batch.isPacked).toBe(packing);
    const sampled = rollouts.slice(firstRow, firstRow + onPolicyRows);
    scored.push({
      ...part,
      teacher: await teacher.score(batch, signals, { random: new Random(6), firstRow }),
      ...(distill && { rollouts: knownRollouts(batch, sampled, 0) }),
    });
  }
  const context = {
    ...{ progress: 0, states: initialLossStates(loss) },
    ...(largestLogitsBytes !== undefined && { largestLogitsBytes }),
  };
  using step = await computeGradients(student, loss, scored, context);
  const gradients = new Map<string, Float32Array>();
  for (const [name, gradient] of step.gradients) {
    gradients.set(name, (await gradient.data()) as Float32Array);
  }
  const { tokens, paddingShare } = batches;
  const { loss: value, terms, diagnostics } = step;
  return { loss: value, terms, diagnostics, gradients, tokens, paddingShare };
}

async function expectSameStep(settings: Settings, packedParts = 1): Promise<void> {
  const plain = await stepOf(false, settings);
  const packed = await stepOf(true, { ...settings, parts: packedParts });
  expect(packed.tokens).toBe(plain.tokens);
  expect(packed.paddingShare).toBeLessThan(plain.paddingShare / 2);
  for (const [name, value] of Object.entries(plain.terms)) {
    expect(Math.abs(value), name).toBeGreaterThan(1e-3);
    expect(packed.terms[name], name).toBeCloseTo(value, 5);
  }
  expect(packed.loss).toBeCloseTo(plain.loss, 5);
  expect(Object.keys(packed.diagnostics)).toEqual(Object.keys(plain.diagnostics));
  for (const [name, value] of Object.entries(plain.diagnostics)) {
    expect(packed.diagnostics[name], name).toBeCloseTo(value, 4);
  }
  for (const [name, gradient] of plain.gradients) {
    const other = packed.gradients.get(name) as Float32Array;
    const scale = Math.max(...gradient.map(Math.abs));
    const worst = Math.max(...gradient.map((v, i) => Math.abs(v - (other[i] as number))));
    expect(scale, name).toBeGreaterThan(1e-4);
    expect(worst / scale, name).toBeLessThan(5e-5);
  }
}

const crossEntropy = lossTerm(crossEntropyLoss, {});
const reverseKl = lossTerm(reverseKlLoss, { temperature: 1.5 }, 0.7);

describe.each([
  { title: "cpu", start: useCpu as () => Promise<unknown>, rows: lengths.short },
  { title: "the engine", start: () => useWasmEngine({ numThreads: 2 }), rows: lengths.long },
])("on $title, packed rows give the same step", ({ start, rows }) => {
  beforeAll(async () => {
    rowLengths = rows;
    await start();
  });
  afterAll(useCpu);

  test.each([
    { name: "llama", student: llama },
    { name: "gpt2", student: gpt2 },
    { name: "llama with a window", student: { ...llama, slidingWindow: 5 } },
  ])("for cross-entropy, $name", async ({ student }) => {
    await expectSameStep({ loss: [crossEntropy], student });
  });

  test("for reverse-kl beside cross-entropy, on the student's rows and the data's", async () => {
    await expectSameStep({ loss: [reverseKl, crossEntropy], distill: {} });
  });

  test("from hidden states, in three micro-batches", async () => {
    const loss = [reverseKl, crossEntropy];
    await expectSameStep({ loss, distill: {}, largestLogitsBytes: 0 }, 3);
  });

  test("for means over sequences, of tokens that the student sampled", async () => {
    const term = lossTerm(policyGradientLoss, { aggregation: "sequence" });
    const loss = [term, lossTerm(universalLogitLoss, {}, 0.2)];
    await expectSameStep({ loss, distill: {} });
  });

  test("for tokens that the teacher draws", async () => {
    await expectSameStep({ loss: [lossTerm(sampledKlLoss, {})], distill: { samples: 3 } }, 2);
  });
});

describe("a run", () => {
  afterAll(useCpu);

  test("with packing is the run without, evaluation included, and pads less", async () => {
    await useWasmEngine();
    const folder = temporaryFolder();
    const run = (packing: boolean) =>
      tinyRun(join(folder, String(packing)), {
        data: { type: "task", task: { type: "addition", maxDigits: 4, style: "scratchpad" } },
        trainer: { type: "sft", steps: 6, batchSize: 8, warmupSteps: 2, packing },
      });
    await runToEnd(run(false));
    await runToEnd(run(true));
    const [plain, packed] = [metricsOf(run(false)), metricsOf(run(true))];
    expect(packed.length).toBe(plain.length);
    for (const [i, expected] of plain.entries()) {
      const row = packed[i] as Record<string, number>;
      expect(Object.keys(row)).toEqual(Object.keys(expected));
      for (const [name, value] of Object.entries(expected) as [string, number][]) {
        if (name === "paddingShare") expect(row[name]).toBeLessThanOrEqual(value);
        else if (typeof value === "number") expect(row[name], name).toBeCloseTo(value, 4);
      }
    }
    const padding = (rows: typeof plain) =>
      rows.reduce((sum, row) => sum + ((row["paddingShare"] as number | undefined) ?? 0), 0);
    expect(padding(packed)).toBeLessThan(0.5 * padding(plain));
    expect(plain.some((row) => "heldOut.loss" in row)).toBe(true);
  });
});
