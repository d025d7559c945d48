import type { Tokenizer } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import {
  needsOfReward,
  ownDistribution,
  type RewardCombination,
  type RewardTerm,
  type SamplingPolicy,
} from "../../rollouts/index.js";
import type { Teacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import { valueRows } from "../reinforce/value-rows.js";
import { sampleCompletions } from "./evaluate.js";
import type { EvaluationSet } from "./evaluate-student.js";
import { sampleEpisodes } from "./sample-episodes.js";
import { majorityIsRight, passAtK, reportedK } from "./pass-at-k.js";

export interface EvaluateSamplesOptions {
  readonly tokenizer: Tokenizer;
  readonly maxNewTokens: number;
  readonly random: Random;
  /** Completions of each prompt, n. */
  readonly samplesPerPrompt: number;
  /** Default: the student's own distribution. */
  readonly sampling?: SamplingPolicy;
  /** Rows per forward pass. Default: 32. */
  readonly batchSize?: number;
  /** What completions are worth in training; for `<set>.reward`, which is left out where one of them needs a step that went wrong before, or a budget that the set has not. Default: nothing. */
  readonly rewards?: readonly RewardTerm[];
  readonly combine?: RewardCombination;
  /** For rewards that ask one. */
  readonly teacher?: Teacher | undefined;
}

/**
 * What several completions of each held-out problem say: `<set>.passAt<k>` without bias for k = 1, 2, 4,
 * … and n, `<set>.majAt<n>`, `<set>.tokensPerAnswer` (mean tokens of a completion, its end token
 * included) and, with rewards, `<set>.reward`. Nothing for sets that nobody can judge.
 */
export async function evaluateSamples(
  student: LanguageModel,
  set: EvaluationSet,
  options: EvaluateSamplesOptions,
): Promise<Record<string, number>> {
  const { asked } = set;
  if (asked === undefined) return {};
  const { tokenizer, maxNewTokens, samplesPerPrompt, combine = "sum" } = options;
  // Completions from the start on have no step that went wrong before, and those of a set without a budget
  // nothing to keep to: the sum of the other rewards would mislead.
  const { rewards: trained = [] } = options;
  const needs = trained.flatMap(needsOfReward);
  const without =
    needs.includes("keyStep") || (needs.includes("budget") && set.budget === undefined);
  const rewards = without ? [] : trained;
  const { sampling = ownDistribution, batchSize = 32, teacher } = options;
  const { endIds, padId } = tokenizer;
  const random = options.random.stream("samples", set.name);
  const prompts = set.prompts.flatMap((prompt) =>
    Array.from({ length: samplesPerPrompt }, () => prompt),
  );
  const common = { maxNewTokens, policy: sampling, random };
  const { rollouts, meanLength } =
    asked.source.respond === undefined
      ? await sampleCompletions(student, prompts, { ...common, batchSize, endIds, padId })
      : await sampleEpisodes(student, asked, {
          ...common,
          ...{ tokenizer, samplesPerProblem: samplesPerPrompt },
        });
  const rows = rollouts.map((rollout, i) => ({
    ...rollout,
    problem: Math.floor(i / samplesPerPrompt),
    own: rollout.completionIds.map(() => 1),
    source: "student",
    ...(set.budget === undefined ? {} : { budget: set.budget }),
  }));
  const setup = { student, teacher, source: asked.source, tokenizer, maxNewTokens };
  const valuation = { ...setup, rewards, combine };
  const valued = await valueRows(valuation, rows, asked.problems, random.stream("likelihood"));
  const perPrompt = set.prompts.map((_, i) =>
    valued.rows
      .slice(i * samplesPerPrompt, (i + 1) * samplesPerPrompt)
      .map(({ verification }) => verification),
  );
  const rightPerPrompt = perPrompt.map((given) => given.filter(({ correct }) => correct).length);
  const measures: Record<string, number> = {};
  for (const k of reportedK(samplesPerPrompt)) {
    measures[`passAt${k}`] = mean(rightPerPrompt.map((c) => passAtK(samplesPerPrompt, c, k)));
  }
  measures[`majAt${samplesPerPrompt}`] = mean(perPrompt.map(majorityIsRight));
  measures["tokensPerAnswer"] = meanLength;
  if (rewards.length > 0) measures["reward"] = mean(valued.rows.map(({ reward }) => reward.total));
  const named = Object.entries(measures).map(([key, value]) => [`${set.name}.${key}`, value]);
  return Object.fromEntries(named) as Record<string, number>;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
