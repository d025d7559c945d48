import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { budgetProductReward } from "./budget-product.js";
import type { RewardDefinition } from "./define.js";
import { exactReward } from "./exact.js";
import { formatReward } from "./format.js";
import { keyStepReward } from "./key-step.js";
import { lengthReward } from "./length.js";
import { likelihoodReward } from "./likelihood.js";

/** Every reward that a config can name. */
export const rewardDefinitions = [
  exactReward,
  formatReward,
  lengthReward,
  budgetProductReward,
  keyStepReward,
  likelihoodReward,
] as const;

type TermSchemas<L> = {
  -readonly [K in keyof L]: L[K] extends {
    name: infer N extends string;
    config: infer S extends z.ZodObject;
  }
    ? z.ZodObject<
        { type: z.ZodLiteral<N>; weight: typeof rewardWeight } & S["shape"],
        z.core.$strict
      >
    : never;
};

const rewardWeight = z
  .number()
  .default(1)
  .describe("Factor in a sum; below 0 it is a punishment. A product takes no weights but 1.");

const termSchemas = (definitions: readonly RewardDefinition[]) =>
  definitions.map(({ name, config }) =>
    z.strictObject({ type: z.literal(name), weight: rewardWeight, ...config.shape }),
  );

/** One reward in a config: `{ type, weight, …options of that reward }`. */
export const rewardTermSchema = z.discriminatedUnion(
  "type",
  termSchemas(rewardDefinitions) as unknown as TermSchemas<typeof rewardDefinitions>,
);
export type RewardTermConfig = z.output<typeof rewardTermSchema>;

/** The same where rewards of the user's own can be named too; typed as the built-in one. */
export function rewardTermSchemaWith(own: readonly RewardDefinition[]): typeof rewardTermSchema {
  if (own.length === 0) return rewardTermSchema;
  const options = [...termSchemas(rewardDefinitions), ...termSchemas(own)];
  return z.discriminatedUnion("type", options as never) as unknown as typeof rewardTermSchema;
}

/**
 * @param own definitions beside the built-in ones
 * @throws PupilError that says which names there are
 */
/** The reward of a name, among the built-in ones and `own`. @throws PupilError that names the nearest one */
export function findReward(name: string, own: readonly RewardDefinition[] = []): RewardDefinition {
  const known: readonly RewardDefinition[] = [...own, ...rewardDefinitions];
  const found = known.find((reward) => reward.name === name);
  if (found !== undefined) return found;
  throw new PupilError(`there is no reward "${name}".`, {
    field: "rewards.type",
    value: name,
    remedy: oneOf(
      name,
      known.map((reward) => reward.name),
    ),
  });
}
