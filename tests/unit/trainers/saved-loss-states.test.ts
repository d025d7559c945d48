/** Every trainer goes on with what a checkpoint says of its losses. */
import type * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineLoss, type LossTerm, lossTerm } from "../../../src/losses/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { modelTeacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { distill, pairs, sft, type StepMetrics } from "../../../src/trainers/index.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 9, hiddenSize: 8, intermediateSize: 8, numLayers: 1 },
  ...{ numHeads: 2, maxPositions: 16 },
});
const counting = {
  ...{ summary: "", formula: "", reference: "", properties: {}, examples: [{}] },
  ...{ name: "counting", config: z.strictObject({}) },
  state: {
    initial: () => ({ steps: 0 }),
    advance: ({ steps }: { steps: number }) => ({ steps: steps + 1 }),
  },
} as const;
/** The number of steps that are done, whatever the student says. */
const tokenLoss = defineLoss({
  ...counting,
  per: "token",
  needs: ["studentLogits"],
  evaluate: ({ studentLogits }, _, state) =>
    studentLogits
      .zerosLike()
      .sum<tf.Tensor2D>(-1)
      .add(state?.steps ?? -1),
});
const pairLoss = defineLoss({
  ...counting,
  per: "row",
  needs: ["positiveTokenLogProbs"],
  evaluate: ({ positiveTokenLogProbs }, _, state) =>
    positiveTokenLogProbs
      .zerosLike()
      .sum<tf.Tensor1D>(1)
      .add(state?.steps ?? -1),
});
const row = { ids: [1, 2, 3, 4], completionStart: 2 };
const data = { rows: () => [row], promptOf: () => [1, 2] };
const common = { steps: 5, startStep: 3, batchSize: 1, lossStates: { counting: { steps: 3 } } };
const tokenizer = { endIds: [8], padId: 0 };

type Parts = { readonly student: ReturnType<typeof initializeDecoder>; readonly optimizer: AdamW };
const trainers: Record<string, (parts: Parts) => AsyncIterable<StepMetrics>> = {
  sft: (parts) => sft({ ...parts, ...common, tokenizer, data, loss: termsOf(tokenLoss) }),
  distill: (parts) =>
    distill({
      ...{ ...parts, ...common, tokenizer, data, loss: termsOf(tokenLoss) },
      ...{ teacher: modelTeacher(parts.student), random: new Random(1), maxNewTokens: 2 },
    }),
  pairs: (parts) =>
    pairs({
      ...{ ...parts, ...common, tokenizer, loss: termsOf(pairLoss), random: new Random(1) },
      data: { pairs: () => [{ positive: row, negative: row }] },
    }),
};
const termsOf = (loss: typeof tokenLoss | typeof pairLoss): LossTerm[] => [
  lossTerm(loss as typeof tokenLoss, {}),
];

test.each(Object.keys(trainers))("%s", async (name) => {
  using student = initializeDecoder(config, new Random(1));
  using optimizer = new AdamW(student.parameters);
  const seen: [number, number | undefined, unknown][] = [];
  for await (const { step, terms, lossStates } of trainers[name]!({ student, optimizer })) {
    seen.push([step, terms["counting"], lossStates]);
  }
  expect(seen).toEqual([
    [4, 3, { counting: { steps: 4 } }],
    [5, 4, { counting: { steps: 5 } }],
  ]);
});
