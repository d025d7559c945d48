/** What a training step supplies to losses of every kind, and how it averages their values. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Aggregation,
  crossEntropyLoss,
  defineLoss,
  forwardKlLoss,
  type LossTerm,
  lossTerm,
  policyGradientLoss,
  reverseKlLoss,
  sampledKlLoss,
  sampledReverseKlLoss,
  sparseKlLoss,
} from "../../../../src/losses/index.js";
import {
  initializeDecoder,
  type LanguageModel,
  modelConfigSchema,
} from "../../../../src/models/index.js";
import {
  ownDistribution,
  rolloutToSequence,
  sampleRollouts,
} from "../../../../src/rollouts/index.js";
import { modelTeacher, type ModelTeacherOptions } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { checkLoss, teacherAdvantages } from "../../../../src/trainers/index.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { knownRollouts } from "../../../../src/trainers/step/rollout-inputs.js";
import { computeGradients, type MicroBatch } from "../../../../src/trainers/step/step.js";

const config = modelConfigSchema.parse({
  family: "llama",
  vocabSize: 11,
  hiddenSize: 8,
  intermediateSize: 12,
  numLayers: 1,
  numHeads: 2,
  maxPositions: 20,
  initializerRange: 0.4,
});
const model = (seed: number) => initializeDecoder(config, new Random(seed));

interface StepOptions {
  readonly parts?: number;
  readonly teacher?: ModelTeacherOptions;
  readonly discount?: number;
}

/** One step on 6 rollouts of unequal length and 2 rows of data. */
async function stepOf(
  student: LanguageModel,
  loss: readonly LossTerm[],
  options: StepOptions = {},
) {
  const { parts = 1, discount = 0 } = options;
  using teacher = modelTeacher(model(2), "teacher", options.teacher);
  const prompts = Array.from({ length: 6 }, (_, i) => Array.from({ length: 1 + (i % 3) }, () => i));
  const rollouts = await sampleRollouts({
    model: student,
    prompts,
    endIds: [3, 4, 5],
    padId: 0,
    maxNewTokens: 9,
    policy: ownDistribution,
    random: new Random(5),
  });
  expect(new Set(rollouts.map((r) => r.completionIds.length)).size).toBeGreaterThan(2);
  const data = [
    { ids: [1, 2, 3, 4, 5, 6, 7], completionStart: 2 },
    { ids: [7, 6, 5], completionStart: 1 },
  ];
  using batches = splitIntoBatches(
    rollouts.map((rollout) => rolloutToSequence(rollout)),
    data,
    parts,
    0,
  );
  const signals = checkLoss(loss, {
    studentVocabSize: 11,
    teacher,
    onPolicyFraction: 0.75,
    gradientAccumulationSteps: parts,
  });
  const scored: MicroBatch[] = [];
  for (const part of batches.parts) {
    const { batch, firstRow, onPolicyRows } = part;
    const own = rollouts.slice(firstRow, firstRow + onPolicyRows);
    scored.push({
      ...part,
      teacher: await teacher.score(batch, signals, { random: new Random(6), firstRow }),
      rollouts: knownRollouts(batch, own, discount),
    });
  }
  using step = await computeGradients(student, loss, scored);
  const gradients: number[] = [];
  for (const gradient of step.gradients.values()) gradients.push(...(await gradient.data()));
  const sampled = rollouts.reduce((sum, r) => sum + r.completionIds.length, 0);
  return { terms: step.terms, loss: step.loss, gradients, rollouts, sampled };
}

function expectNear(actual: readonly number[], expected: readonly number[], bound: number): void {
  const largest = Math.max(...expected.map(Math.abs));
  expect(largest).toBeGreaterThan(1e-3);
  const worst = Math.max(...expected.map((e, i) => Math.abs((actual[i] as number) - e)));
  expect(worst / largest).toBeLessThan(bound);
}

/** Counts what is averaged: the mean of ones is the share of what counts. */
const ones = (per: "token" | "row", aggregation: Aggregation = "token") =>
  lossTerm(
    defineLoss({
      name: "ones",
      summary: "",
      formula: "",
      reference: "",
      per,
      needs: ["studentLogits"],
      config: z.strictObject({}),
      properties: {},
      examples: [{}],
      aggregation: () => aggregation,
      evaluate: ({ studentLogits }) => {
        const value = studentLogits.sum(2).mul(0).add(1) as tf.Tensor2D;
        return (per === "token" ? value : value.mean(1)) as never;
      },
    }),
    {},
  );

describe("means", () => {
  test("over tokens, rows and sequences are 1 for a loss of 1", async () => {
    using student = model(1);
    for (const term of [ones("token"), ones("row"), ones("token", "sequence")]) {
      const { loss } = await stepOf(student, [term], { parts: 3 });
      expect(loss).toBeCloseTo(1, 6);
    }
  });

  test("over a fixed length are tokens per row over that length", async () => {
    using student = model(1);
    const { loss, sampled } = await stepOf(student, [ones("token", { fixedLength: 20 })]);
    expect(loss).toBeCloseTo((sampled + 5 + 2) / 8 / 20, 6);
  });
});

describe("one step equals its micro-batches", () => {
  const sampledLosses = [
    lossTerm(policyGradientLoss, { aggregation: "token" }, 0.5),
    lossTerm(policyGradientLoss, { aggregation: "sequence" }, 0.5),
    lossTerm(policyGradientLoss, { aggregation: "fixed-length", fixedLength: 6 }, 0.5),
    lossTerm(sampledReverseKlLoss, {}, 0.7),
    lossTerm(crossEntropyLoss, {}, 0.3),
    ones("row"),
  ];
  test.each<[string, LossTerm[], ModelTeacherOptions]>([
    ["losses on sampled tokens and on rows", sampledLosses, {}],
    [
      "a teacher's likeliest tokens",
      [lossTerm(sparseKlLoss, {}), lossTerm(forwardKlLoss, {})],
      { topK: 3 },
    ],
    ["a teacher's draws", [lossTerm(sampledKlLoss, {})], { samples: 4, sampleTemperature: 2 }],
  ])("%s", async (_name, loss, teacher) => {
    using student = model(1);
    const whole = await stepOf(student, loss, { teacher, discount: 0.5 });
    for (const parts of [3, 8]) {
      const split = await stepOf(student, loss, { teacher, parts, discount: 0.5 });
      for (const [name, value] of Object.entries(whole.terms)) {
        expect(split.terms[name], name).toBeCloseTo(value, 5);
      }
      expectNear(split.gradients, whole.gradients, 1e-4);
    }
  });
});

describe("losses that must agree", () => {
  test("policy-gradient with the teacher's advantages and both sampled reverse KLs", async () => {
    using student = model(1);
    const policy = await stepOf(student, [lossTerm(policyGradientLoss, {})]);
    const k2 = await stepOf(student, [lossTerm(sampledReverseKlLoss, {})]);
    const estimator = "policy-gradient";
    const estimated = await stepOf(student, [lossTerm(sampledReverseKlLoss, { estimator })]);
    expectNear(policy.gradients, k2.gradients, 1e-4);
    expectNear(estimated.gradients, k2.gradients, 1e-4);
    expect(Object.values(policy.terms)[0]).toBeCloseTo(
      Object.values(estimated.terms)[0] as number,
      4,
    );
  });

  test("a discount makes tokens answer for what follows them", async () => {
    using student = model(1);
    const own = await stepOf(student, [lossTerm(policyGradientLoss, {})]);
    const later = await stepOf(student, [lossTerm(policyGradientLoss, {})], { discount: 1 });
    const worst = Math.max(
      ...own.gradients.map((g, i) => Math.abs(g - (later.gradients[i] as number))),
    );
    expect(worst).toBeGreaterThan(1e-2);
  });

  test("all tokens of the teacher as its likeliest, and its logits", async () => {
    using student = model(1);
    const teacher = { topK: 11 };
    const sparse = await stepOf(student, [lossTerm(sparseKlLoss, { direction: "reverse" })], {
      teacher,
    });
    const dense = await stepOf(student, [lossTerm(reverseKlLoss, {})], { teacher });
    expect(sparse.loss).toBeCloseTo(dense.loss, 4);
    expectNear(sparse.gradients, dense.gradients, 1e-3);
  });

  test("many draws of the teacher, and its logits", async () => {
    using student = model(1);
    const options = { teacher: { samples: 2000, sampleTemperature: 1.5 } };
    const drawn = await stepOf(student, [lossTerm(sampledKlLoss, {})], options);
    const dense = await stepOf(student, [lossTerm(forwardKlLoss, {})]);
    expect(drawn.loss / dense.loss).toBeCloseTo(1, 1);
    expectNear(drawn.gradients, dense.gradients, 0.1);
  });
});

test("advantages are discounted sums of log T − log S of the sampled tokens", () => {
  const values = tf.tidy(() => {
    const teacher = tf.tensor2d([[-1, -2, -3, -9]]);
    const old = tf.tensor2d([[-2, -2.5, -1, 0]]);
    const mask = tf.tensor2d([[1, 1, 1, 0]]);
    const at = (discount: number) => [
      ...teacherAdvantages(teacher, old, mask, discount).dataSync(),
    ];
    return { none: at(0), half: at(0.5) };
  });
  expect(values.none).toEqual([1, 0.5, -2, 0]);
  expect(values.half).toEqual([0.75, -0.5, -2, 0]);
});
