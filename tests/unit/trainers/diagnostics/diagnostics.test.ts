import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch, type TokenSequence } from "../../../../src/data/index.js";
import {
  crossEntropyLoss,
  evaluateTerm,
  forwardKlLoss,
  lossTerm,
  maskedSum,
  policyGradientLoss,
  reverseKlLoss,
  sparseKlLoss,
} from "../../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { modelTeacher, type TeacherSignal } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { diagnosticMeans } from "../../../../src/trainers/diagnostics/diagnostics.js";
import { diagnosedRows } from "../../../../src/trainers/diagnostics/diagnosed-rows.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import type { KnownRollouts } from "../../../../src/trainers/step/rollout-inputs.js";
import { computeGradients, type StepContext } from "../../../../src/trainers/step/step.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 11, hiddenSize: 8, numLayers: 1, numHeads: 2 },
  ...{ maxPositions: 16, initializerRange: 0.6 },
});
const student = () => initializeDecoder(config, new Random(1));
const teacherOf = (topK?: number) =>
  modelTeacher(initializeDecoder(config, new Random(2)), "teacher", { topK });

function rows(count: number): TokenSequence[] {
  const random = new Random(3);
  return Array.from({ length: count }, (_, row) => {
    const ids = Array.from({ length: 3 + ((row * 5) % 9) }, () => random.integer(11));
    return { ids, completionStart: 1 + (row % 2) };
  });
}

async function diagnosticsOf(
  parts: number,
  options: { topK?: number; signals?: TeacherSignal[]; context?: Partial<StepContext> } = {},
): Promise<Readonly<Record<string, number>>> {
  const { topK, signals = ["teacherLogits"], context } = options;
  using model = student();
  using teacher = teacherOf(topK);
  using batches = splitIntoBatches([], rows(8), parts, 0);
  const scored = [];
  for (const part of batches.parts) {
    scored.push({ ...part, teacher: await teacher.score(part.batch, signals) });
  }
  const isSparse = !signals.includes("teacherLogits");
  const term = isSparse ? lossTerm(sparseKlLoss, {}) : lossTerm(forwardKlLoss, {});
  const all = { progress: 0, states: [undefined], ...context };
  using step = await computeGradients(model, [term], scored, all);
  return step.diagnostics;
}

/** Mean of a loss over all learned tokens. */
async function meanOf(term: ReturnType<typeof lossTerm>): Promise<number> {
  using model = student();
  using teacher = teacherOf();
  using batch = makeBatch(rows(8), 0);
  const scores = await teacher.score(batch, ["teacherLogits"]);
  const sum = tf.tidy(() => {
    const inputs = { studentLogits: model.forward(batch), ...scores.tensors() };
    return maskedSum(evaluateTerm(term, inputs) as tf.Tensor2D, batch.completionMask).arraySync();
  });
  return (sum as number) / batch.numTokens;
}

describe("diagnostics of a step", () => {
  test("are means over all learned tokens, by logits and from hidden states", async () => {
    const forwardKl = await meanOf(lossTerm(forwardKlLoss, {}));
    const reverseKl = await meanOf(lossTerm(reverseKlLoss, {}));
    for (const largestLogitsBytes of [2 ** 24, 0]) {
      const found = await diagnosticsOf(1, { context: { largestLogitsBytes } });
      expect(found["forwardKl"]).toBeCloseTo(forwardKl, 5);
      expect(found["reverseKl"]).toBeCloseTo(reverseKl, 5);
      expect(Object.keys(found).sort()).toEqual([
        ...["forwardKl", "reverseKl", "studentEntropy", "teacherEntropy"],
        ...["topOneAgreement", "totalVariation"],
      ]);
      expect(found["topOneAgreement"]).toBeGreaterThan(0);
      expect(found["topOneAgreement"]).toBeLessThan(1);
    }
  });

  test("do not depend on how rows are split into micro-batches", async () => {
    const [whole, split] = [await diagnosticsOf(1), await diagnosticsOf(3)];
    for (const [name, value] of Object.entries(whole)) expect(split[name]).toBeCloseTo(value, 5);
  });

  test("of a teacher without logits are lower bounds, exact when it lists every token", async () => {
    const signals: TeacherSignal[] = ["teacherTokenIds", "teacherTopLogProbs"];
    const exact = await diagnosticsOf(1);
    const listed = await diagnosticsOf(1, { topK: 11, signals });
    const some = await diagnosticsOf(1, { topK: 3, signals });
    for (const [coarse, name] of [
      ["coarseForwardKl", "forwardKl"],
      ["coarseReverseKl", "reverseKl"],
      ["coarseTotalVariation", "totalVariation"],
    ] as const) {
      expect(listed[coarse]).toBeCloseTo(exact[name] as number, 3);
      expect(some[coarse]).toBeLessThan(exact[name] as number);
      expect(some[coarse]).toBeGreaterThan(0);
    }
    expect(some["topOneAgreement"]).toBeCloseTo(exact["topOneAgreement"] as number, 6);
    expect(some["studentEntropy"]).toBeCloseTo(exact["studentEntropy"] as number, 6);
    expect(some["studentTailMass"]).toBeGreaterThan(some["teacherTailMass"] as number);
  });

  test("can be turned off", async () => {
    expect(await diagnosticsOf(1, { context: { mostDiagnosedRows: 0 } })).toEqual({});
  });

  test("of a student alone are its entropy", async () => {
    using model = student();
    using batches = splitIntoBatches([], rows(4), 1, 0);
    const terms = [lossTerm(crossEntropyLoss, {})];
    using step = await computeGradients(model, terms, batches.parts);
    expect(Object.keys(step.diagnostics)).toEqual(["studentEntropy"]);
    expect(step.diagnostics["studentEntropy"]).toBeLessThan(Math.log(11));
  });

  test("have the spread of advantages over the sampled tokens alone", async () => {
    using model = student();
    using batches = splitIntoBatches(
      [{ ids: [1, 2, 3], completionStart: 1 }],
      [{ ids: [1, 2], completionStart: 1 }],
      1,
      0,
    );
    const zeros = () => tf.zeros([2, 2]) as tf.Tensor2D;
    const rollouts: KnownRollouts = {
      inputs: () => ({
        oldTokenLogProbs: zeros(),
        advantages: tf.tensor2d([1, 3, 100, 100], [2, 2]),
      }),
    };
    const parts = batches.parts.map((part) => ({ ...part, rollouts }));
    using step = await computeGradients(model, [lossTerm(policyGradientLoss, {})], parts);
    expect(step.diagnostics["advantageStd"]).toBeCloseTo(1, 5);
  });
});

test("means are over what each sum counts; a spread is never below 0", () => {
  const sums = { forwardKl: 6, positiveLogProb: -8, advantages: 6, advantageSquares: 20 };
  expect(diagnosticMeans(sums, { positions: 3, sampledTokens: 4, pairs: 2 })).toEqual({
    ...{ forwardKl: 2, positiveLogProb: -4, advantageStd: Math.sqrt(20 / 4 - 1.5 ** 2) },
  });
  const none = { positions: 0, sampledTokens: 0, pairs: 0 };
  expect(diagnosticMeans({ forwardKl: 0.5 }, none)).toEqual({ forwardKl: 0.5 });
  const equal = { advantages: 3, advantageSquares: 2.99 };
  expect(diagnosticMeans(equal, { ...none, sampledTokens: 3 })).toEqual({ advantageStd: 0 });
  // 100 advantages of -0.7, summed in float32.
  const rounded = { advantages: -70, advantageSquares: Math.fround(49.000008) };
  const ofHundred = { ...none, sampledTokens: 100 };
  expect(diagnosticMeans(rounded, ofHundred)).toEqual({ advantageStd: 0 });
  const spread = { advantages: -70, advantageSquares: 49.0049 };
  expect(diagnosticMeans(spread, ofHundred)["advantageStd"]).toBeCloseTo(0.007, 4);
});

describe("the positions looked at", () => {
  const long = Array.from({ length: 40 }, (_, row) => ({
    ids: Array.from({ length: 2 + (row % 30) }, () => 1),
    completionStart: 1,
  }));

  test("are all learned ones where there are few", () => {
    using batch = makeBatch([{ ids: [1, 2, 3, 4], completionStart: 2 }], 0);
    expect(diagnosedRows([batch], 11)).toEqual([[1, 2]]);
  });

  test.each([
    [11, undefined, 512],
    [2 ** 10, undefined, 128],
    [2 ** 10 + 1, undefined, 127],
    [2 ** 20, undefined, 16],
    [11, 20, 20],
    [2 ** 12, 20, 20],
    [2 ** 13, 20, 16],
    [11, 0, 0],
  ])("of a vocabulary of %i and at most %s are %i", (vocabSize, mostRows, expected) => {
    const many = Array.from({ length: 90 }, () => ({
      ids: [1, 2, 3, 4, 5, 6, 7],
      completionStart: 1,
    }));
    using batch = makeBatch(many, 0);
    const [found] = diagnosedRows([batch], vocabSize, mostRows) as [number[]];
    expect(found).toHaveLength(expected);
    const gaps = found.slice(1).map((index, i) => index - (found[i] as number));
    // 540 positions, one after the other: no gap differs by more than one from another.
    if (gaps.length > 0) expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
    if (expected > 0) expect((found[0] as number) + (found.at(-1) as number)).toBe(539);
  });

  test("are evenly spread, each once, the same however the step is split", () => {
    using whole = makeBatch(long, 0);
    using first = makeBatch(long.slice(0, 13), 0);
    using second = makeBatch(long.slice(13), 0);
    const [all] = diagnosedRows([whole], 2 ** 12) as [number[]];
    const parts = diagnosedRows([first, second], 2 ** 12);
    expect(all.length).toBe(32);
    expect(new Set(all).size).toBe(32);
    expect(parts.flat().length).toBe(32);
    const mask = whole.completionMask.dataSync();
    expect(all.every((index) => mask[index] === 1)).toBe(true);
    const T = [first.sequenceLength, second.sequenceLength] as const;
    const place = (index: number, width: number, row: number) => [
      row + Math.floor(index / width),
      index % width,
    ];
    expect([
      ...(parts[0] as number[]).map((i) => place(i, T[0], 0)),
      ...(parts[1] as number[]).map((i) => place(i, T[1], 13)),
    ]).toEqual(all.map((i) => place(i, whole.sequenceLength, 0)));
  });
});
