import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  characterTokenizer,
  makeBatch,
  tokenizeExample,
  type Tokenizer,
} from "../../../src/data/index.js";
import {
  forwardKlLoss,
  type LossTerm,
  lossTerm,
  policyGradientLoss,
  reverseKlLoss,
} from "../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { AdamW, defaultSchedule } from "../../../src/optim/index.js";
import { alignedTeacher, modelTeacher, type Teacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { rolloutToSequence } from "../../../src/rollouts/index.js";
import { distill, evaluateDivergence, type StepMetrics } from "../../../src/trainers/index.js";
import { trainedTokenizer } from "../../setup/data/tokenizers.js";

function tinyModel(vocabSize: number, seed: number) {
  const shape = { hiddenSize: 8, numLayers: 1, numHeads: 2, intermediateSize: 8 };
  const config = { family: "llama", vocabSize, maxPositions: 40, initializerRange: 0.4, ...shape };
  return initializeDecoder(modelConfigSchema.parse(config), new Random(seed));
}

/** A model of the first vocabulary that speaks a second one, in which every id i is V − 1 − i. */
function reversedTeacher(vocabSize: number, seed: number): Teacher {
  const model = tinyModel(vocabSize, seed);
  const inner = modelTeacher(model, "reversed");
  return {
    ...inner,
    score: async (batch, needs) => {
      const rows = batch.sequences.map(({ ids, completionStart }) => ({
        ids: ids.map((id) => vocabSize - 1 - id),
        completionStart,
      }));
      const own = makeBatch(rows, 0);
      const scores = await inner.score(own, needs);
      return {
        tensors: () => {
          const { teacherLogits, ...rest } = scores.tensors();
          return teacherLogits === undefined
            ? rest
            : { teacherLogits: tf.reverse(teacherLogits, 2), ...rest };
        },
        dispose: () => own.dispose(),
      };
    },
  };
}

async function train(
  teacher: Teacher,
  tokenizer: Tokenizer,
  loss: readonly LossTerm[],
  steps: number,
): Promise<StepMetrics[]> {
  using student = tinyModel(tokenizer.vocabSize, 1);
  using optimizer = new AdamW(student.parameters);
  const completions = ["the cat", " sat on", "the mat", " the hat"];
  const rows = completions.map((completion) =>
    tokenizeExample(tokenizer, { prompt: "on", completion }),
  );
  const metrics: StepMetrics[] = [];
  for await (const step of distill({
    student,
    teacher,
    optimizer,
    loss,
    steps,
    tokenizer,
    random: new Random(3),
    data: {
      rows: () => rows,
      promptOf: ({ ids, completionStart }) => ids.slice(0, completionStart),
    },
    onPolicyFraction: 0.5,
    maxNewTokens: 6,
    batchSize: 4,
    schedule: { ...defaultSchedule, learningRate: 0.02 },
  })) {
    metrics.push(step);
  }
  return metrics;
}

describe("distill with another tokenizer", () => {
  const alphabet = "acehmnost ";
  const student = characterTokenizer({ alphabet }, { specialTokens: false });
  const reversed = characterTokenizer(
    { alphabet: [...alphabet].reverse().join("") },
    { specialTokens: false },
  );
  const tokenizers = { teacherTokenizer: reversed, studentTokenizer: student };

  test.each([
    ["logits", "teacherLogits", [lossTerm(forwardKlLoss, {}), lossTerm(reverseKlLoss, {}, 0.5)]],
    ["log-probabilities", "teacherTokenLogProbs", [lossTerm(policyGradientLoss, {})]],
  ] as const)("%s of renamed tokens train as those of the same tokens", async (_, signal, loss) => {
    using plain = modelTeacher(tinyModel(alphabet.length, 2));
    using other = alignedTeacher(reversedTeacher(alphabet.length, 2), { ...tokenizers, signal });
    const expected = await train({ ...plain, provides: [signal] }, student, loss, 3);
    const actual = await train(other, student, loss, 3);
    for (const [i, step] of actual.entries()) {
      expect(step.loss).toBeCloseTo(expected[i]?.loss as number, 4);
      expect(step.gradNorm).toBeCloseTo(expected[i]?.gradNorm as number, 3);
      expect(step.tokens).toBe(expected[i]?.tokens);
    }
  });

  test("only tokens that the teacher has something to say about are counted", async () => {
    const bpe = await trainedTokenizer(["the cat sat on the mat, the hat. ".repeat(3)], 275);
    const byte = byteTokenizer();
    using teacher = alignedTeacher(modelTeacher(tinyModel(bpe.vocabSize, 2)), {
      teacherTokenizer: bpe,
      studentTokenizer: byte,
      signal: "teacherLogits",
    });
    const steps = await train(teacher, byte, [lossTerm(forwardKlLoss, {})], 2);
    for (const { loss, gradNorm, tokens } of steps) {
      expect(Number.isFinite(loss) && gradNorm > 0).toBe(true);
      expect(tokens).toBeGreaterThan(0);
      expect(tokens).toBeLessThan(4 * 8);
    }
    using untrained = tinyModel(byte.vocabSize, 1);
    const promptIds = byte.encode("on");
    const completionIds = byte.encode(" the cat");
    const tokenLogProbs = completionIds.map(() => -1);
    const rollout = { promptIds, completionIds, tokenLogProbs, finished: false };
    const divergence = await evaluateDivergence(
      untrained,
      teacher,
      [rolloutToSequence(rollout)],
      4,
      byte.padId,
    );
    expect(divergence.forwardKl).toBeGreaterThan(0);
    expect(divergence.tokens).toBeLessThan(completionIds.length);
  });
});
