import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { TokenSequence } from "../../../../src/data/index.js";
import {
  crossEntropyLoss,
  forwardKlLoss,
  initialLossStates,
  type LossDefinition,
  type LossInputs,
  lossTerm,
  reverseKlLoss,
  taidLoss,
  universalLogitLoss,
} from "../../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { modelTeacher, type TeacherTensors } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { computeGradients } from "../../../../src/trainers/step/step.js";

const config = modelConfigSchema.parse({
  family: "llama",
  vocabSize: 11,
  hiddenSize: 8,
  intermediateSize: 12,
  numLayers: 1,
  numHeads: 2,
  maxPositions: 16,
});
// Wide initialisation, so that gradients are far from zero.
const wide = { ...config, initializerRange: 0.4 };

/** Rows of very unequal token counts: what a wrong normaliser would show up on. */
function rows(count: number, seed: number): TokenSequence[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, row) => {
    const length = 3 + ((row * 5) % 9);
    const ids = Array.from({ length }, () => random.integer(11));
    return { ids, completionStart: 1 + (row % 2) };
  });
}

const terms = [
  lossTerm(reverseKlLoss, { temperature: 2 }, 0.7),
  lossTerm(forwardKlLoss, {}, 0.2),
  lossTerm(crossEntropyLoss, {}, 0.5),
];

async function stepOf(parts: number, onPolicy: number) {
  using student = initializeDecoder(wide, new Random(1));
  using teacher = modelTeacher(initializeDecoder(wide, new Random(2)));
  const all = rows(8, 3);
  using batches = splitIntoBatches(all.slice(0, onPolicy), all.slice(onPolicy), parts, 0);
  const scored = [];
  for (const part of batches.parts) {
    scored.push({ ...part, teacher: await teacher.score(part.batch, ["teacherLogits"]) });
  }
  using step = await computeGradients(student, terms, scored);
  const gradients = new Map<string, Float32Array>();
  for (const [name, gradient] of step.gradients) {
    gradients.set(name, (await gradient.data()) as Float32Array);
  }
  return { loss: step.loss, terms: step.terms, gradNorm: step.gradNorm, gradients };
}

describe("the step", () => {
  test.each([2, 3, 8])("is the same for 1 and %i micro-batches", async (parts) => {
    const whole = await stepOf(1, 3);
    const split = await stepOf(parts, 3);
    expect(split.loss).toBeCloseTo(whole.loss, 5);
    expect(split.gradNorm / whole.gradNorm).toBeCloseTo(1, 5);
    expect(whole.gradNorm).toBeGreaterThan(0.05);
    for (const [name, term] of Object.entries(whole.terms)) {
      expect(split.terms[name]).toBeCloseTo(term, 5);
    }
    for (const [name, gradient] of whole.gradients) {
      const other = split.gradients.get(name) as Float32Array;
      const scale = Math.max(...gradient.map(Math.abs), 1e-3);
      const worst = Math.max(...gradient.map((value, i) => Math.abs(value - (other[i] as number))));
      expect(worst / scale, name).toBeLessThan(1e-4);
    }
  });

  test("compares in the teacher's own vocabulary where a loss may, and else in the student's", async () => {
    using student = initializeDecoder(wide, new Random(1));
    using data = splitIntoBatches([], rows(4, 3), 1, 0);
    const [part] = data.parts as [(typeof data.parts)[number]];
    const { size, sequenceLength } = part.batch;
    const logits = (vocabSize: number) => {
      const random = new Random(vocabSize);
      const length = size * sequenceLength * vocabSize;
      const values = Float32Array.from({ length }, () => random.normal());
      return tf.tensor3d(values, [size, sequenceLength, vocabSize]);
    };
    const both = [lossTerm(universalLogitLoss, {}), lossTerm(forwardKlLoss, {})];
    const termsWith = async (loss: typeof both, tensors: () => Partial<TeacherTensors>) => {
      using step = await computeGradients(student, loss, [{ ...part, teacher: { tensors } }]);
      return step.terms;
    };
    const found = await termsWith(both, () => ({
      teacherLogits: logits(11),
      ownVocabularyLogits: logits(13),
    }));
    const ofOwn = await termsWith(both.slice(0, 1), () => ({ teacherLogits: logits(13) }));
    const ofStudents = await termsWith(both.slice(1), () => ({ teacherLogits: logits(11) }));
    expect(found["universal-logit"]).toBeCloseTo(ofOwn["universal-logit"] as number, 6);
    expect(found["forward-kl"]).toBeCloseTo(ofStudents["forward-kl"] as number, 6);
    const others = await termsWith(both.slice(0, 1), () => ({ teacherLogits: logits(11) }));
    expect(
      Math.abs(Number(others["universal-logit"]) - Number(ofOwn["universal-logit"])),
    ).toBeGreaterThan(0.01);
  });

  test("counts labels of the data's own rows only", async () => {
    const mixed = await stepOf(1, 3);
    using student = initializeDecoder(wide, new Random(1));
    using data = splitIntoBatches([], rows(8, 3).slice(3), 1, 0);
    using alone = await computeGradients(student, [lossTerm(crossEntropyLoss, {})], data.parts);
    expect(mixed.terms["cross-entropy"]).toBeCloseTo(alone.loss, 5);
  });

  test("with no row of the data, the label term is 0 and not NaN", async () => {
    const { terms: values, gradNorm } = await stepOf(2, 8);
    expect(values["cross-entropy"]).toBe(0);
    expect(gradNorm).toBeGreaterThan(0);
  });

  test("refuses values that are not finite, names them, and touches no parameter", async () => {
    using student = initializeDecoder(wide, new Random(1));
    const name = "model.norm.weight";
    const norm = student.parameters.get(name) as tf.Variable;
    const broken = tf.fill(norm.shape, Number.NaN);
    norm.assign(broken);
    broken.dispose();
    using data = splitIntoBatches([], rows(2, 3), 1, 0);
    await expect(
      computeGradients(student, [lossTerm(crossEntropyLoss, {})], data.parts),
    ).rejects.toThrow(/term cross-entropy is NaN; the gradient of .* is not finite/);
  });

  test("says of an infinite term that one model rules out what the other does not", async () => {
    using student = initializeDecoder(wide, new Random(1));
    using data = splitIntoBatches([], rows(2, 3), 1, 0);
    const { rowLosses: _rowLosses, ...infinite } = {
      ...(crossEntropyLoss as LossDefinition),
      evaluate: ({ studentLogits }: LossInputs) =>
        tf.tidy(() => studentLogits.sum(-1).mul(0).add(Infinity) as tf.Tensor2D),
    };
    await expect(
      computeGradients(student, [lossTerm(infinite as LossDefinition, {})], data.parts),
    ).rejects.toThrow(/term cross-entropy is Infinity.*Mask the same tokens in both/s);
  });

  test("gives a loss its state", async () => {
    const lossOf = async (start: number, interpolation?: number) => {
      using student = initializeDecoder(wide, new Random(1));
      using teacher = modelTeacher(initializeDecoder(wide, new Random(2)));
      using data = splitIntoBatches([], rows(4, 3), 1, 0);
      const [part] = data.parts as [(typeof data.parts)[0]];
      const scored = { ...part, teacher: await teacher.score(part.batch, ["teacherLogits"]) };
      const terms = [lossTerm(taidLoss, { start })];
      const [initial] = initialLossStates(terms);
      const states = interpolation === undefined ? [initial] : [{ ...initial, interpolation }];
      const context = { progress: 0, states } as Parameters<typeof computeGradients>[3];
      using step = await computeGradients(student, terms, [scored], context);
      return step.loss;
    };
    const moved = await lossOf(0.2, 0.9);
    expect(moved).toBeCloseTo(await lossOf(0.9), 6);
    expect(Math.abs(moved - (await lossOf(0.2)))).toBeGreaterThan(0.01);
  });

  test("needs a row per micro-batch", () => {
    expect(() => splitIntoBatches([], rows(2, 3), 3, 0)).toThrow(
      "trainer.gradientAccumulationSteps: 3 micro-batches need at least 3 rows",
    );
  });
});
