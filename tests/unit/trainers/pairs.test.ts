import * as tf from "@tensorflow/tfjs-core";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  additionTask,
  characterTokenizer,
  makeBatch,
  type TokenSequence,
} from "../../../src/data/index.js";
import {
  crossEntropyLoss,
  dpo,
  dpoLoss,
  type LossTerm,
  lossTerm,
  redi,
  rediLoss,
  tripletLoss,
} from "../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { saveModelFolder } from "../../../src/node/index.js";
import { tokenLogProbs } from "../../../src/ops/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { modelTeacher, type Teacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import {
  evaluatePairs,
  pairs,
  type StepMetrics,
  type TokenPair,
} from "../../../src/trainers/index.js";
import { metricsOf, runToEnd, stepsOf, tinyRun, weightsOf } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 11, hiddenSize: 8, numLayers: 1, numHeads: 2 },
  ...{ maxPositions: 16, initializerRange: 0.5 },
});
const model = (seed: number) => initializeDecoder(config, new Random(seed));

/** Answers of very unequal lengths. */
function somePairs(count: number): TokenPair[] {
  const random = new Random(3);
  const answer = (prompt: readonly number[], length: number): TokenSequence => {
    const ids = [...prompt, ...Array.from({ length }, () => random.integer(11))];
    return { ids, completionStart: prompt.length };
  };
  return Array.from({ length: count }, (_, i) => {
    const prompt = [random.integer(11), random.integer(11)];
    return { positive: answer(prompt, 1 + (i % 5)), negative: answer(prompt, 1 + ((i * 3) % 7)) };
  });
}

async function firstStep(
  loss: readonly LossTerm[],
  rows: readonly TokenPair[],
  gradientAccumulationSteps = 1,
  changes: Partial<Teacher> = {},
): Promise<StepMetrics> {
  using student = model(1);
  using reference = { ...modelTeacher(model(2)), ...changes };
  using optimizer = new AdamW(student.parameters);
  const options = { student, reference, optimizer, loss, gradientAccumulationSteps };
  const data = { pairs: () => rows };
  const training = { data, tokenizer: { padId: 0 }, random: new Random(1), batchSize: rows.length };
  for await (const metrics of pairs({ ...options, ...training, steps: 1 })) return metrics;
  throw new Error("No step was made.");
}

/** Mean token log-probabilities and their sums of one answer under a model. */
function logProbsOf(seed: number, row: TokenSequence): number[] {
  using decoder = model(seed);
  using batch = makeBatch([row], 0);
  const values = tf.tidy(() => tokenLogProbs(decoder.forward(batch), batch.labels).arraySync());
  return (values[0] as number[]).slice(row.completionStart - 1, row.ids.length - 1);
}

function direct(rows: readonly TokenPair[], loss: "redi" | "dpo"): number {
  const values = rows.map(({ positive, negative }) =>
    tf.tidy(() => {
      const side = (seed: number, row: TokenSequence) => tf.tensor2d([logProbsOf(seed, row)]);
      const inputs = {
        positiveTokenLogProbs: side(1, positive),
        negativeTokenLogProbs: side(1, negative),
        positiveMask: tf.onesLike(side(1, positive)),
        negativeMask: tf.onesLike(side(1, negative)),
        referencePositiveTokenLogProbs: side(2, positive),
        referenceNegativeTokenLogProbs: side(2, negative),
      };
      const value = loss === "redi" ? redi(inputs) : dpo(inputs, { beta: 0.3 });
      return (value.arraySync() as number[])[0] as number;
    }),
  );
  return values.reduce((sum, value) => sum + value, 0) / rows.length;
}

describe("a step on pairs", () => {
  test.each(["redi", "dpo"] as const)("is the mean of %s over the pairs", async (name) => {
    const rows = somePairs(7);
    const term = name === "redi" ? lossTerm(rediLoss, {}) : lossTerm(dpoLoss, { beta: 0.3 });
    const { loss } = await firstStep([term], rows);
    expect(loss).toBeCloseTo(direct(rows, name), 5);
  });

  test("does not depend on micro-batches, nor on pairs without tokens to learn", async () => {
    const terms = [lossTerm(dpoLoss, {}), lossTerm(rediLoss, {}, 0.5)];
    const rows = somePairs(6);
    const [whole, split] = [await firstStep(terms, rows), await firstStep(terms, rows, 3)];
    const empty = { ...(rows[0] as TokenPair), negative: { ids: [1, 2], completionStart: 2 } };
    const more = await firstStep(terms, [...rows, empty]);
    for (const other of [split, more]) {
      expect(other.loss).toBeCloseTo(whole.loss, 5);
      expect(other.gradNorm / whole.gradNorm).toBeCloseTo(1, 4);
      for (const name of ["positiveLogProb", "negativeLogProb"]) {
        expect(other.diagnostics[name]).toBeCloseTo(whole.diagnostics[name] as number, 5);
      }
    }
    const means = rows.map(({ positive }) => {
      const values = logProbsOf(1, positive);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
    const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
    expect(whole.diagnostics["positiveLogProb"]).toBeCloseTo(mean, 5);
  });

  test("counts only what its reference has something to say about, in both models", async () => {
    const rows = somePairs(6);
    const terms = [lossTerm(dpoLoss, {})];
    // Without the last token of every answer: the same as shorter answers.
    const cut = (row: TokenSequence) => ({
      ...row,
      learned: row.ids.map((_, i) => (i >= row.completionStart && i + 1 < row.ids.length ? 1 : 0)),
    });
    const shorter = rows.map(({ positive, negative }) => ({
      positive: { ...positive, ids: positive.ids.slice(0, -1) },
      negative: { ...negative, ids: negative.ids.slice(0, -1) },
    }));
    const restricted = await firstStep(terms, rows, 1, { restrict: cut });
    const expected = await firstStep(terms, shorter);
    expect(restricted.loss).toBeCloseTo(expected.loss, 5);
    expect(restricted.loss).not.toBeCloseTo((await firstStep(terms, rows)).loss, 3);
  });

  test("takes a reference that knows only the rows of the data: nothing else is compared", async () => {
    const rows = somePairs(4);
    const terms = [lossTerm(dpoLoss, {})];
    const restricted = await firstStep(terms, rows, 1, { scoresOnly: "stored rows" });
    expect(restricted.loss).toBe((await firstStep(terms, rows)).loss);
  });

  test("is refused for losses that pairs do not serve, before it begins", async () => {
    const rows = somePairs(2);
    await expect(firstStep([lossTerm(crossEntropyLoss, {})], rows)).rejects.toThrow(
      /cross-entropy needs studentLogits, labels, which a trainer of pairs does not have/,
    );
    await expect(firstStep([lossTerm(tripletLoss, {})], rows)).rejects.toThrow(/anchorStates/);
    await expect(firstStep([lossTerm(rediLoss, {})], rows, 3)).rejects.toThrow(
      /3 micro-batches need at least 3 pairs, got 2/,
    );
  });
});

/** A folder with an untrained model for the addition task. */
async function modelFolder(folder: string): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet: additionTask.alphabet({} as never) });
  const shape = { hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 32 };
  const options = { family: "llama", vocabSize: tokenizer.vocabSize, ...shape };
  using decoder = initializeDecoder(modelConfigSchema.parse(options), new Random(9));
  await saveModelFolder(join(folder, "model"), decoder, tokenizer);
  return join(folder, "model");
}

describe("a run on pairs", () => {
  test("learns right answers from wrong ones, and resumes bit-exactly", async () => {
    const folder = temporaryFolder();
    const from = await modelFolder(folder);
    const changes = {
      student: { from },
      teacher: { from },
      trainer: {
        ...{ type: "pairs", steps: 12, batchSize: 16, learningRate: 0.1, warmupSteps: 1 },
        loss: [{ type: "dpo" }, { type: "redi", weight: 0.1 }],
      },
      checkpoint: { every: 5 },
      evaluation: { every: 0, rows: 2 },
    };
    const whole = tinyRun(join(folder, "whole"), changes);
    const parts = tinyRun(join(folder, "parts"), changes);
    await runToEnd(whole);
    await runToEnd(parts, { stopAfter: 7 });
    await runToEnd(parts, { resume: true });
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
    expect(weightsOf(parts, 12).equals(weightsOf(whole, 12))).toBe(true);
    const margins = stepsOf(whole).map(
      ({ diagnostics }) =>
        Number(diagnostics["positiveLogProb"]) - Number(diagnostics["negativeLogProb"]),
    );
    expect(margins).toHaveLength(12);
    expect(margins.at(-1)).toBeGreaterThan((margins[0] as number) + 0.1);
  });

  test("needs a reference where the loss has one, and rows that are pairs", async () => {
    const folder = temporaryFolder();
    const trainer = { type: "pairs", steps: 2, loss: [{ type: "dpo" }] };
    await expect(runToEnd(tinyRun(folder, { trainer }))).rejects.toThrow(
      /dpo compares with a reference model, .*teacher\.from/,
    );
    const other = { type: "sft", steps: 2, loss: [{ type: "redi" }] };
    await expect(runToEnd(tinyRun(folder, { trainer: other }))).rejects.toThrow(
      /redi needs positiveTokenLogProbs, .*A trainer that can: pairs/,
    );
  });
});

describe("evaluatePairs", () => {
  test("by hand: means of mean log-probabilities, shares that are preferred, and both margins", async () => {
    using student = model(1);
    const rows = somePairs(7);
    const metrics = await evaluatePairs(student, rows, { batchSize: 3, padId: 0 });
    const logProbs = async ({ ids, completionStart }: TokenSequence) => {
      using batch = makeBatch([{ ids, completionStart }], 0);
      const all = tf.tidy(() => tokenLogProbs(student.forward(batch), batch.labels));
      const values = [...(await all.data())].slice(completionStart - 1);
      all.dispose();
      return values;
    };
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    const mean = (values: readonly number[]) => sum(values) / values.length;
    const answers: (readonly [number[], number[]])[] = [];
    for (const { positive, negative } of rows) {
      answers.push([await logProbs(positive), await logProbs(negative)] as const);
    }
    const margins = (of: (values: readonly number[]) => number) =>
      answers.map(([positive, negative]) => of(positive) - of(negative));
    const preferred = (values: readonly number[]) => mean(values.map((m) => Number(m > 0)));
    const expected = {
      positiveLogProb: mean(answers.map(([positive]) => mean(positive))),
      negativeLogProb: mean(answers.map(([, negative]) => mean(negative))),
      pairAccuracy: preferred(margins(mean)),
      pairMargin: mean(margins(mean)),
      pairSumAccuracy: preferred(margins(sum)),
      pairSumMargin: mean(margins(sum)),
    };
    for (const [name, value] of Object.entries(expected)) {
      expect(metrics[name], name).toBeCloseTo(value, 4);
    }
    expect(expected.pairAccuracy).not.toBe(expected.pairSumAccuracy);
  });

  test("equal answers count half, and empty ones not at all", async () => {
    using student = model(1);
    const answer = { ids: [1, 2, 3], completionStart: 1 };
    const empty = { ids: [1], completionStart: 1 };
    const options = { batchSize: 2, padId: 0 };
    const equal = { positive: answer, negative: answer };
    const half = { positive: answer, negative: empty };
    const metrics = await evaluatePairs(student, [equal, half], options);
    expect(metrics).toMatchObject({ pairAccuracy: 0.5, pairMargin: 0, pairSumAccuracy: 0.5 });
    expect(await evaluatePairs(student, [half], options)).toEqual({});
  });

  test("every evaluation of a run has them, on held-out problems of a task", async () => {
    const trainer = { type: "pairs", steps: 2, batchSize: 2, loss: [{ type: "redi" }] };
    const evaluation = { every: 1, rows: 2 };
    const config = tinyRun(join(temporaryFolder(), "measured"), { trainer, evaluation });
    await runToEnd(config);
    const evaluations = metricsOf(config).filter((row) => "heldOut.loss" in row);
    expect(evaluations).toHaveLength(3);
    for (const row of evaluations) {
      expect(row).toMatchObject({
        "heldOut.pairAccuracy": expect.any(Number),
        "heldOut.negativeLogProb": expect.any(Number),
        "longer.pairMargin": expect.any(Number),
        "heldOut.accuracy": expect.any(Number),
      });
    }
  });
});
