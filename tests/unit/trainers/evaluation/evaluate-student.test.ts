import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  makeBatch,
  type ProblemSource,
  type Tokenizer,
  type TokenSequence,
} from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { tokenLogProbs } from "../../../../src/ops/index.js";
import { ownDistribution, rolloutToSequence } from "../../../../src/rollouts/index.js";
import { modelTeacher, promptedTeacher } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import {
  type EvaluationSet,
  evaluateDivergence,
  evaluateStudent,
} from "../../../../src/trainers/index.js";
import { evaluateLoss, sampleCompletions } from "../../../../src/trainers/evaluation/evaluate.js";
import { evaluateSamples } from "../../../../src/trainers/evaluation/evaluate-samples.js";
import { ChainModel } from "../../../setup/models/chain-model.js";

function decoder(seed: number, vocabSize = 10) {
  const sizes = { vocabSize, hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 24 };
  const config = { family: "llama", initializerRange: 0.5, ...sizes };
  return initializeDecoder(modelConfigSchema.parse(config), new Random(seed));
}

/** Five rows of unequal lengths. */
const rows: TokenSequence[] = [4, 2, 6, 3, 5].map((length, row) => ({
  ids: Array.from({ length }, (_, i) => (3 * row + 2 * i + 1) % 10),
  completionStart: 1 + (row % 2),
}));

describe("the loss of given completions", () => {
  test("is the mean over all their tokens, whatever the batches", async () => {
    using model = decoder(1);
    const values = rows.flatMap((row) => {
      using batch = makeBatch([row], 0);
      const all = tf.tidy(() => tokenLogProbs(model.forward(batch), batch.labels).arraySync());
      return (all[0] as number[]).slice(row.completionStart - 1).map((value) => -value);
    });
    const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const batchSize of [1, 2, 5, 32]) {
      const { loss, perplexity, tokens } = await evaluateLoss(model, rows, batchSize, 0);
      expect(tokens).toBe(values.length);
      expect(loss).toBeCloseTo(expected, 5);
      expect(perplexity).toBeCloseTo(Math.exp(expected), 3);
    }
  });
});

const sampling = { endIds: [9], padId: 0, policy: { ...ownDistribution, greedy: true } };

describe("a student's own completions", () => {
  test("come in the order of the prompts, with their mean length and the share that ended", async () => {
    const prompts = [[7], [1], [4, 5], [8], [6]];
    for (const batchSize of [1, 2, 5]) {
      const found = await sampleCompletions(new ChainModel(10), prompts, {
        ...{ batchSize, maxNewTokens: 4, random: new Random(1), ...sampling },
      });
      expect(found.rollouts.map(({ completionIds }) => completionIds)).toEqual([
        [8, 9],
        [2, 3, 4, 5],
        [6, 7, 8, 9],
        [9],
        [7, 8, 9],
      ]);
      expect(found.meanLength).toBe(14 / 5);
      expect(found.endRate).toBe(4 / 5);
    }
  });

  test("do not depend on the batch when they are drawn", async () => {
    using model = decoder(1);
    const draw = async (batchSize: number) => {
      const options = { ...sampling, policy: ownDistribution, maxNewTokens: 6 };
      const prompts = [[7], [7], [7], [4, 5]];
      const random = new Random(2);
      const found = await sampleCompletions(model, prompts, { ...options, batchSize, random });
      return found.rollouts.map(({ completionIds }) => completionIds);
    };
    const [one, three] = [await draw(1), await draw(3)];
    expect(three).toEqual(one);
    expect(one[0]).not.toEqual(one[1]);
  });

  test("of no prompts are none", async () => {
    const found = await sampleCompletions(new ChainModel(10), [], {
      ...{ batchSize: 2, maxNewTokens: 4, random: new Random(1), ...sampling },
    });
    expect(found).toEqual({ rollouts: [], meanLength: 0, endRate: 0 });
  });
});

/** Digits are their own ids; only what evaluations ask for. */
const tokenizer = {
  ...{ vocabSize: 10, startIds: [], endIds: [9], padId: 0 },
  encode: (text: string) => Array.from(text, Number),
  decode: (ids: readonly number[]) => ids.filter((id) => id !== 9).join(""),
} as unknown as Tokenizer;
const options = { tokenizer, maxNewTokens: 6, random: new Random(4) };

describe("evaluateStudent", () => {
  const prompts = rows.map(({ ids, completionStart }) => ids.slice(0, completionStart));
  const set: EvaluationSet = { name: "heldOut", rows, prompts };

  test("names its metrics by the set and verifies greedy completions by their index", async () => {
    const student = new ChainModel(10);
    const asked: [number, readonly number[]][] = [];
    const verify = (index: number, ids: readonly number[]) => {
      asked.push([index, ids]);
      return ids.length > 2;
    };
    const own = { name: "longer", rows: [], prompts: [[7], [4], [8], [5]], verify };
    const { metrics, completions } = await evaluateStudent(student, undefined, own, options);
    const written = [[8, 9], [5, 6, 7, 8, 9], [9], [6, 7, 8, 9]];
    expect(asked).toEqual(written.map((ids, index) => [index, ids]));
    expect(metrics).toMatchObject({
      ...{ "longer.accuracy": 0.5, "longer.meanLength": 3, "longer.endRate": 1 },
    });
    expect(Object.keys(metrics).every((name) => name.startsWith("longer."))).toBe(true);
    expect(completions).toEqual(
      written.map((completionIds, i) => ({
        ...{ set: "longer", promptIds: own.prompts[i], completionIds },
        correct: completionIds.length > 2,
      })),
    );
  });

  test("lets the world of the problems answer, in greedy completions and in samples", async () => {
    const source: ProblemSource = {
      name: "world",
      size: () => 1,
      problem: () => problem,
      verify: (_, completion) => ({
        correct: completion === "8345678",
        answer: undefined,
        traceCorrect: false,
      }),
      respond: (_, completion) => (completion === "8" ? "3" : undefined),
    };
    const problem = { id: "world/0", prompt: "7", answer: "" };
    const verify = (_: number, ids: readonly number[]) => ids.join("") === "83456789";
    const asked = { source, problems: [problem] };
    const own = { name: "heldOut", rows: [], prompts: [[7]], verify, asked };
    const room = { ...options, maxNewTokens: 9 };
    const found = await evaluateStudent(new ChainModel(10), undefined, own, room);
    expect(found.completions[0]?.completionIds).toEqual([8, 3, 4, 5, 6, 7, 8, 9]);
    expect(found.metrics).toMatchObject({ "heldOut.accuracy": 1, "heldOut.meanLength": 8 });
    const sampled = await evaluateSamples(new ChainModel(10), own, {
      ...{ ...room, samplesPerPrompt: 2, sampling: { ...ownDistribution, greedy: true } },
    });
    expect(sampled).toMatchObject({ "heldOut.passAt1": 1, "heldOut.tokensPerAnswer": 8 });
  });

  test("without a way to verify shows eight completions and says nothing of their being right", async () => {
    const many = Array.from({ length: 10 }, () => [7]);
    const own = { name: "heldOut", rows: [], prompts: many };
    const found = await evaluateStudent(new ChainModel(10), undefined, own, options);
    expect(found.completions).toHaveLength(8);
    expect(found.completions[0]).toEqual({ set: "heldOut", promptIds: [7], completionIds: [8, 9] });
    expect(found.metrics).not.toHaveProperty("heldOut.accuracy");
  });

  test("measures both KLs on all of the student's own samples, at temperature 1", async () => {
    using student = decoder(1);
    using teacher = modelTeacher(decoder(2));
    const { metrics } = await evaluateStudent(student, teacher, set, options);
    const { rollouts } = await sampleCompletions(student, prompts, {
      ...{ ...tokenizer, maxNewTokens: 6, batchSize: 2, policy: ownDistribution },
      random: options.random.stream("evaluate", "heldOut", "divergence"),
    });
    const written = rollouts.map((rollout, i) => rolloutToSequence(rollout, rows[i]));
    const expected = await evaluateDivergence(student, teacher, written, 2, 0);
    expect(expected.tokens).toBe(rollouts.flatMap((r) => r.completionIds).length);
    expect(metrics["heldOut.forwardKl"]).toBeCloseTo(expected.forwardKl, 5);
    expect(metrics["heldOut.reverseKl"]).toBeCloseTo(expected.reverseKl, 5);
    expect(expected.forwardKl).toBeGreaterThan(0.01);
    expect(expected.reverseKl).toBeGreaterThan(0.01);
    expect(Math.abs(expected.forwardKl - expected.reverseKl)).toBeGreaterThan(1e-3);
    const { loss } = await evaluateLoss(student, rows, 3, 0);
    expect(metrics["heldOut.loss"]).toBeCloseTo(loss, 5);
    expect(metrics["heldOut.perplexity"]).toBeCloseTo(Math.exp(loss), 3);

    using same = modelTeacher(decoder(1));
    const none = await evaluateStudent(student, same, set, options);
    expect(none.metrics["heldOut.forwardKl"]).toBeCloseTo(0, 5);
  });

  test("writes no more than the teacher can read where it is to score it", async () => {
    using student = decoder(1);
    using inner = modelTeacher(decoder(2));
    let longest = 0;
    const score: typeof inner.score = (batch, needs, context) => {
      longest = Math.max(longest, ...batch.sequences.map(({ ids }) => ids.length));
      return inner.score(batch, needs, context);
    };
    await evaluateStudent(student, { ...inner, maxPositions: 5, score }, set, options);
    // Nothing is asked about what follows the last token.
    expect(longest).toBe(5 + 1);
    await evaluateStudent(student, { ...inner, score }, set, options);
    expect(longest).toBeGreaterThan(6);
  });

  test("asks a teacher that reads what was shown only about rows that say it", async () => {
    using student = decoder(1);
    using plain = modelTeacher(decoder(2));
    const encoder = { ...tokenizer, startIds: [], encode: () => [] };
    const prompted = promptedTeacher(plain, "{shown}", encoder);
    const bare = await evaluateStudent(student, prompted, set, options);
    expect(bare.metrics).not.toHaveProperty("heldOut.forwardKl");
    const shown = rows.map((row, i) => ({ ...row, shownPrompt: prompts[i] as number[] }));
    const told = await evaluateStudent(student, prompted, { ...set, rows: shown }, options);
    const same = await evaluateStudent(student, plain, set, options);
    expect(told.metrics["heldOut.forwardKl"]).toBeCloseTo(
      same.metrics["heldOut.forwardKl"] as number,
      5,
    );
  });

  test("says nothing of a teacher with another vocabulary, or without logits", async () => {
    using student = decoder(1);
    using other = modelTeacher(decoder(2, 11));
    using silent = { ...modelTeacher(decoder(2)), provides: ["teacherTokenLogProbs" as const] };
    for (const teacher of [other, silent]) {
      const { metrics } = await evaluateStudent(student, teacher, set, options);
      expect(metrics).not.toHaveProperty("heldOut.forwardKl");
      expect(metrics).toHaveProperty("heldOut.loss");
    }
  });

  test("gives no divergence of no token: a teacher that can score none says nothing", async () => {
    using student = decoder(1);
    using inner = modelTeacher(decoder(2));
    const none = { ...inner, restrict: (row: TokenSequence) => ({ ...row, learned: [] }) };
    const { metrics } = await evaluateStudent(student, none, set, options);
    expect(metrics).not.toHaveProperty("heldOut.forwardKl");
    expect(metrics).not.toHaveProperty("heldOut.reverseKl");
    expect(metrics).toHaveProperty("heldOut.loss");
  });

  test("counts only what the teacher can score, and lets go of its scores", async () => {
    using student = decoder(1);
    using inner = modelTeacher(decoder(2));
    let released = 0;
    const teacher: typeof inner = {
      ...inner,
      restrict: (row) => ({ ...row, learned: row.ids.map((_, i) => (i === 2 ? 1 : 0)) }),
      score: async (batch, needs, context) => {
        const scores = await inner.score(batch, needs, context);
        const dispose = () => {
          scores.dispose?.();
          released += 1;
        };
        return { ...scores, dispose };
      },
    };
    const { tokens } = await evaluateDivergence(student, teacher, rows, 2, 0);
    expect(tokens).toBe(rows.filter(({ ids }) => ids.length > 2).length);
    expect(released).toBe(3);
  });
});
