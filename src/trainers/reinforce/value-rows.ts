import {
  decodeCompletion,
  type Problem,
  type ProblemSource,
  type Tokenizer,
} from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import {
  evaluateRewards,
  type LikelihoodQuestion,
  type RewardCombination,
  type RewardRow,
  type RewardTerm,
  type RowReward,
  type SampledRow,
  type SamplingCost,
} from "../../rollouts/index.js";
import type { Teacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import { askLikelihoods } from "./likelihoods.js";

/** What completions are worth, and who is asked. */
export interface Valuation {
  readonly student: LanguageModel;
  readonly teacher: Teacher | undefined;
  readonly source: ProblemSource;
  readonly tokenizer: Tokenizer;
  readonly maxNewTokens: number;
  readonly rewards: readonly RewardTerm[];
  readonly combine: RewardCombination;
}

/** A completion and what it is worth. */
export interface ValuedRow extends Omit<RewardRow, "answers"> {
  readonly reward: RowReward;
}

export interface ValuedRows {
  readonly rows: readonly ValuedRow[];
  /** Answers to the questions that were asked besides. */
  readonly answers: readonly (readonly number[])[];
  readonly cost: SamplingCost;
}

/**
 * Verifies and values completions; whatever models are to be asked about them they are asked together.
 *
 * @param others questions besides those of the rewards
 * @param random for teachers that draw
 */
export async function valueRows(
  { student, teacher, source, tokenizer, maxNewTokens, rewards, combine }: Valuation,
  sampled: readonly SampledRow[],
  problems: readonly Problem[],
  random: Random,
  others: readonly LikelihoodQuestion[] = [],
): Promise<ValuedRows> {
  const context = { problems: source, tokenizer, maxNewTokens };
  const rows = sampled.map((row) => describeRow(row, problems, source, tokenizer));
  const perReward = rewards.map(({ definition, config }) =>
    rows.map((row) => definition.ask?.(row, config, context) ?? []),
  );
  const questions = [...others, ...perReward.flat(2)];
  const models = { student, teacher, padId: tokenizer.padId, random };
  const { answers, cost } = await askLikelihoods(questions, models);
  let next = others.length;
  const take = (count: number) => answers.slice(next, (next += count));
  const answersOf = perReward.map((ofRows) => ofRows.map(({ length }) => take(length)));
  const valued = rows.map((row, i) => {
    const given = answersOf.map((ofRows) => ofRows[i] as (readonly number[])[]);
    return { ...row, reward: evaluateRewards(rewards, combine, row, given, context) };
  });
  return { rows: valued, answers: answers.slice(0, others.length), cost };
}

function describeRow(
  sampled: SampledRow,
  problems: readonly Problem[],
  source: ProblemSource,
  tokenizer: Tokenizer,
): Omit<RewardRow, "answers"> {
  const problem = problems[sampled.problem] as Problem;
  const { promptIds, completionIds } = sampled;
  const completion = decodeCompletion(tokenizer, promptIds, completionIds);
  return {
    ...{ problem, completion, sampled },
    prompt: tokenizer.decode(promptIds),
    length: completionIds.length,
    verification: source.verify(problem, completion),
  };
}
