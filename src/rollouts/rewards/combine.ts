import { z } from "zod";
import { parseConfig, PupilError, requireMember } from "../../errors/index.js";
import type { RewardContext, RewardDefinition, RewardRow } from "./define.js";
import { findReward, type RewardTermConfig } from "./list.js";

/** A reward with its options settled and its weight. */
export interface RewardTerm {
  readonly definition: RewardDefinition;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weight: number;
}

export const rewardCombinations = ["sum", "product", "gate"] as const;
export const combinationSchema = z.enum(rewardCombinations).default("sum");
export type RewardCombination = z.output<typeof combinationSchema>;

/**
 * A term from a reward.
 *
 *     rewardTerm(exactReward, {}, 1)
 *
 * @throws PupilError if the options do not fit the reward's schema
 */
export function rewardTerm<N extends string, S extends z.ZodObject>(
  definition: RewardDefinition<N, S>,
  options: z.input<S>,
  weight = 1,
): RewardTerm {
  requireMember(definition, "config", {
    field: "rewardTerm: definition",
    remedy: "Give it a reward, such as exactReward.",
  });
  const config = parseConfig(definition.config, options, definition.name);
  return { definition: definition as unknown as RewardDefinition, config, weight };
}

/** The term that a config describes. */
export function rewardTermFromConfig(
  { type, weight, ...options }: RewardTermConfig,
  own: readonly RewardDefinition[] = [],
): RewardTerm {
  return rewardTerm(findReward(type, own), options, weight);
}

/** Names for logs; a repeated one is numbered (`format`, `format-2`). */
export function rewardLabels(terms: readonly RewardTerm[]): string[] {
  const seen = new Map<string, number>();
  return terms.map(({ definition: { name } }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

/** What one completion is worth, and by which rewards. */
export interface RowReward {
  readonly total: number;
  /** Of each term, before its weight, in the order of the terms. */
  readonly values: readonly number[];
}

/**
 * Puts the values of rewards r_i with weights w_i together:
 *
 *     sum      Σ w_i r_i
 *     product  Π r_i
 *     gate     Σ w_i r_i where the first is above 0, else min(0, Σ_{i > 1} w_i r_i)
 *
 * The gate is how surrogate rewards are kept from being had without the form of an answer
 * (https://arxiv.org/abs/2505.19439).
 */
export function combineRewards(
  values: readonly number[],
  weights: readonly number[],
  combination: RewardCombination,
): number {
  const weighted = values.map((value, i) => (weights[i] as number) * value);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
  switch (combination) {
    case "sum":
      return sum(weighted);
    case "product":
      return values.reduce((product, value) => product * value, 1);
    case "gate":
      return (values[0] ?? 0) > 0 ? sum(weighted) : Math.min(0, sum(weighted.slice(1)));
  }
}

/**
 * What a completion is worth by all terms.
 *
 * @param answers for each term the answers to its questions
 * @throws PupilError naming the reward whose value is not finite
 */
export function evaluateRewards(
  terms: readonly RewardTerm[],
  combination: RewardCombination,
  row: Omit<RewardRow, "answers">,
  answers: readonly RewardRow["answers"][],
  context: RewardContext,
): RowReward {
  const values = terms.map(({ definition, config }, i) => {
    const value = definition.evaluate({ ...row, answers: answers[i] ?? [] }, config, context);
    if (Number.isFinite(value)) return value;
    throw new PupilError(`gives ${String(value)}, and a reward is a finite number.`, {
      field: `reward ${definition.name}`,
      value: row.problem.id,
      remedy: `The completion was ${JSON.stringify(row.completion)}.`,
    });
  });
  const weights = terms.map(({ weight }) => weight);
  return { total: combineRewards(values, weights, combination), values };
}
