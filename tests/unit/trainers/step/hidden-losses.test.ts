import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TokenSequence } from "../../../../src/data/index.js";
import {
  crossEntropyLoss,
  forwardKlLoss,
  generalizedJsdLoss,
  initialLossStates,
  type LossTerm,
  lossTerm,
  reverseKlLoss,
  skewKlLoss,
  symmetricKlLoss,
} from "../../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { modelTeacher, type TeacherScores } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { evaluateDivergence, evaluateLoss } from "../../../../src/trainers/evaluation/evaluate.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { computeGradients } from "../../../../src/trainers/step/step.js";
import { useCpu } from "../../../setup/backends/backend.js";
import { useWasmEngine } from "../../../setup/backends/wasm-engine.js";

const sizes = { vocabSize: 11, hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 16 };
const config = modelConfigSchema.parse({ ...sizes, family: "llama", initializerRange: 0.4 });
const tied = modelConfigSchema.parse({ ...sizes, family: "gpt2", initializerRange: 0.4 });

function rows(count: number, vocabSize = 11): TokenSequence[] {
  const random = new Random(3);
  return Array.from({ length: count }, (_, row) => {
    const ids = Array.from({ length: 3 + ((row * 5) % 9) }, () => random.integer(vocabSize));
    return { ids, completionStart: 1 + (row % 2) };
  });
}

const everyTerm: readonly LossTerm[] = [
  lossTerm(reverseKlLoss, { temperature: 2, temperatureSquared: true }, 0.7),
  lossTerm(forwardKlLoss, {}, 0.2),
  lossTerm(crossEntropyLoss, { labelSmoothing: 0.1 }, 0.5),
  lossTerm(generalizedJsdLoss, { beta: 0.3 }),
  lossTerm(symmetricKlLoss, { forwardWeight: 0.2, temperature: 3 }),
];

interface Settings {
  readonly terms?: readonly LossTerm[];
  readonly parts?: number;
  readonly largestLogitsBytes: number;
  /** A teacher that gives logits and nothing else. */
  readonly onlyLogits?: boolean;
  readonly student?: typeof config;
}

async function stepOf({ terms = everyTerm, parts = 1, ...settings }: Settings) {
  const { largestLogitsBytes, onlyLogits = false, student: options = config } = settings;
  using student = initializeDecoder(options, new Random(1));
  using teacher = modelTeacher(initializeDecoder(config, new Random(2)));
  const all = rows(8);
  using batches = splitIntoBatches(all.slice(0, 3), all.slice(3), parts, 0);
  const scored = [];
  for (const part of batches.parts) {
    const scores: TeacherScores = await teacher.score(part.batch, ["teacherLogits"]);
    expect(scores.hidden).toBeDefined();
    const given = onlyLogits ? { tensors: () => scores.tensors() } : scores;
    scored.push({ ...part, teacher: given });
  }
  const context = { progress: 0, states: initialLossStates(terms), largestLogitsBytes };
  using step = await computeGradients(student, terms, scored, context);
  const gradients = new Map<string, Float32Array>();
  for (const [name, gradient] of step.gradients) {
    gradients.set(name, (await gradient.data()) as Float32Array);
  }
  return { loss: step.loss, terms: step.terms, gradients };
}

type Step = Awaited<ReturnType<typeof stepOf>>;

function expectSame(actual: Step, expected: Step): void {
  expect(actual.loss).toBeCloseTo(expected.loss, 5);
  for (const [name, value] of Object.entries(expected.terms)) {
    expect(Math.abs(value), name).toBeGreaterThan(0.01);
    expect(actual.terms[name], name).toBeCloseTo(value, 5);
  }
  for (const [name, gradient] of expected.gradients) {
    const other = actual.gradients.get(name) as Float32Array;
    const scale = Math.max(...gradient.map(Math.abs));
    const worst = Math.max(...gradient.map((v, i) => Math.abs(v - (other[i] as number))));
    expect(scale, name).toBeGreaterThan(1e-3);
    expect(worst / scale, name).toBeLessThan(1e-4);
  }
}

const always = { largestLogitsBytes: 0 };
const never = { largestLogitsBytes: Infinity };

describe.each([
  { title: "cpu", start: useCpu as () => Promise<unknown> },
  { title: "the engine", start: () => useWasmEngine({ numThreads: 2 }) },
])("a step from hidden states on $title", ({ start }) => {
  beforeAll(async () => {
    await start();
  });
  afterAll(useCpu);

  test("is the step from logits", async () => {
    expectSame(await stepOf(always), await stepOf(never));
  });

  test.each(everyTerm)("is the step from logits for $definition.name alone", async (term) => {
    expectSame(
      await stepOf({ terms: [term], ...always }),
      await stepOf({ terms: [term], ...never }),
    );
  });

  test("is the same for 1 and 3 micro-batches", async () => {
    expectSame(await stepOf({ parts: 3, ...always }), await stepOf(never));
  });

  test("takes a teacher that gives logits only", async () => {
    expectSame(await stepOf({ onlyLogits: true, ...always }), await stepOf(never));
  });

  test("takes a student whose head is its embedding", async () => {
    expectSame(
      await stepOf({ student: tied, ...always }),
      await stepOf({ student: tied, ...never }),
    );
  });

  test("is left to losses that are all sums of row losses", async () => {
    const terms = [lossTerm(forwardKlLoss, {}), lossTerm(skewKlLoss, {})];
    expectSame(await stepOf({ terms, ...always }), await stepOf({ terms, ...never }));
  });
});

describe("evaluation with a large vocabulary", () => {
  afterAll(useCpu);

  test("gives the losses and never holds the logits", async () => {
    const vocabSize = 100_000;
    const options = modelConfigSchema.parse({ ...config, vocabSize, initializerRange: 0.3 });
    const { engine } = await useWasmEngine({ numThreads: 2 });
    using student = initializeDecoder(options, new Random(1));
    using teacher = modelTeacher(initializeDecoder(options, new Random(2)));
    const given = rows(16, vocabSize);
    // Small batches are evaluated from logits, those of all rows are not.
    const loss = await evaluateLoss(student, given, 1, 0);
    const divergence = await evaluateDivergence(student, teacher, given, 1, 0);
    const { allocator } = engine;
    allocator.peakBytes = allocator.bytesInUse;
    const before = allocator.bytesInUse;
    const losses = await evaluateLoss(student, given, 16, 0);
    const divergences = await evaluateDivergence(student, teacher, given, 16, 0);
    // The student's and the teacher's would be 2 · 16 · 10 · V floats.
    expect(allocator.peakBytes - before).toBeLessThan(35 * 2 ** 20);
    expect(losses.loss).toBeCloseTo(loss.loss, 4);
    expect(losses.tokens).toBe(loss.tokens);
    expect(divergences.forwardKl).toBeCloseTo(divergence.forwardKl, 4);
    expect(divergences.reverseKl).toBeCloseTo(divergence.reverseKl, 4);
    expect(divergence.reverseKl).toBeGreaterThan(0.1);
  });
});
