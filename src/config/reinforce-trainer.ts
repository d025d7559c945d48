import { z } from "zod";
import { type LossDefinition, lossTermSchema, lossTermSchemaWith } from "../losses/index.js";
import {
  advantageSchema,
  combinationSchema,
  type RewardDefinition,
  rewardTermSchema,
  rewardTermSchemaWith,
  rowChoices,
  samplerSchema,
  samplingPolicySchema,
} from "../rollouts/index.js";
import { trainerFields } from "./trainer-fields.js";

const count = () => z.int().min(1);

const ofStep = {
  against: z
    .enum(["teacher", "reference"])
    .optional()
    .describe("Whom a loss compares with that compares with a model. Default: the teacher."),
  rows: z
    .enum(rowChoices)
    .optional()
    .describe("Completions that count, by how they turned out. Default: all."),
};

/** Every loss with the choices that this trainer gives. */
function stepTerms(term: typeof lossTermSchema): typeof lossTermSchema {
  const options = term.options.map((option) => (option as z.ZodObject).extend(ofStep));
  return z.discriminatedUnion("type", options as never) as unknown as typeof lossTermSchema;
}

const lossField = (term: typeof lossTermSchema) =>
  z
    .array(stepTerms(term))
    .min(1)
    .prefault([{ type: "policy-gradient" }])
    .describe(
      "Loss terms on the completions: policy-gradient, and beside it divergences from a teacher or (against) a reference, on all or some (rows) of them; guided-policy-gradient or cross-entropy for tokens that a sampler had others write.",
    );

const rewardsField = (term: typeof rewardTermSchema) =>
  z
    .array(term)
    .prefault([{ type: "exact" }])
    .describe("What a completion is worth. An empty list: only what a teacher thinks of it.");

export const reinforceTrainerSchema = z.strictObject({
  type: z.literal("reinforce"),
  ...trainerFields,
  batchSize: count()
    .default(16)
    .describe("Problems per batch of rollouts; each has several completions."),
  sampler: samplerSchema.prefault({ type: "plain" }).describe("Where completions come from."),
  sampling: samplingPolicySchema.prefault({}).describe("How models sample."),
  maxNewTokens: count()
    .optional()
    .describe("Longest completion the student samples. Default: the longest of the data."),
  rewards: rewardsField(rewardTermSchema),
  combine: combinationSchema.describe(
    "How rewards are put together. sum: weighted. product. gate: where the first is above 0 the weighted sum, else the smaller of 0 and the weighted sum of the others.",
  ),
  advantage: advantageSchema
    .prefault({})
    .describe("How rewards, and a teacher's opinion, become advantages of tokens."),
  loss: lossField(lossTermSchema),
  reference: z
    .string()
    .optional()
    .describe(
      'A frozen model to be held against: "initial", the student that the run begins with, or a model folder.',
    ),
  updatesPerRollout: count()
    .default(1)
    .describe(
      "Optimizer steps that are made of one batch of rollouts; from the second on the ratio of policies differs from 1.",
    ),
  minibatches: count()
    .default(1)
    .describe("Parts of a batch of rollouts, of which each update has one, in turn."),
});

/** The same where losses and rewards of the user's own can be named too. */
export function reinforceTrainerSchemaWith(
  losses: readonly LossDefinition[],
  rewards: readonly RewardDefinition[],
): typeof reinforceTrainerSchema {
  return reinforceTrainerSchema.extend({
    loss: lossField(lossTermSchemaWith(losses)),
    rewards: rewardsField(rewardTermSchemaWith(rewards)),
  });
}
