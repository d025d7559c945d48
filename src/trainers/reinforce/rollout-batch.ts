import {
  decodeCompletion,
  type Problem,
  type ProblemSource,
  type Tokenizer,
  type TokenSequence,
} from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import {
  addCosts,
  type AdvantageOptions,
  type AdvantageRow,
  chosenRows,
  evaluateRewards,
  type LikelihoodQuestion,
  type RewardCombination,
  rewardLabels,
  type RewardRow,
  type RewardTerm,
  type RowChoice,
  rowChoices,
  type SampledRow,
  type SamplerContext,
  type SamplingCost,
  type Sampled,
  tokenAdvantages,
} from "../../rollouts/index.js";
import type { Teacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import type { StepMetrics } from "../step/metrics.js";
import { askLikelihoods } from "./likelihoods.js";

/** A completion with all that a policy gradient needs of it. */
export interface ReinforcedRow {
  readonly sequence: TokenSequence;
  readonly sampled: SampledRow;
  /** Of every token of the completion. */
  readonly advantages: readonly number[];
  readonly isLeftOut: boolean;
  readonly chosen: Readonly<Record<RowChoice, boolean>>;
}

/** A batch of rollouts, of which one or more optimizer steps are made. All on the host. */
export interface RolloutBatch {
  readonly rows: readonly ReinforcedRow[];
  readonly metrics: RolloutMetrics;
  readonly cost: SamplingCost;
}

/** What the log says of a batch of rollouts. */
export type RolloutMetrics = Pick<
  StepMetrics,
  | "onPolicyShare"
  | "rolloutLength"
  | "rolloutEndRate"
  | "reward"
  | "rewardStd"
  | "rewards"
  | "correctShare"
  | "degenerateGroups"
  | "sampler"
>;

/** Where rollouts come from and what they are worth. */
export interface RolloutSetup {
  readonly student: LanguageModel;
  readonly teacher: Teacher | undefined;
  readonly source: ProblemSource;
  readonly tokenizer: Tokenizer;
  readonly maxNewTokens: number;
  readonly rewards: readonly RewardTerm[];
  readonly combine: RewardCombination;
  readonly advantage: AdvantageOptions;
  sample(problems: readonly Problem[], random: Random): Promise<Sampled>;
}

/**
 * Samples completions of problems, values them and makes advantages of that.
 *
 * @param random for this batch of rollouts
 * @param progress share of the training that is done
 */
export async function makeRollouts(
  setup: RolloutSetup,
  problems: readonly Problem[],
  random: Random,
  progress: number,
): Promise<RolloutBatch> {
  const { student, teacher, source, tokenizer, maxNewTokens, rewards, combine } = setup;
  const sampled = await setup.sample(problems, random.stream("sample"));
  const context = { problems: source, tokenizer, maxNewTokens };
  const rows = sampled.rows.map((row) => describeRow(row, problems, context));

  const perReward = rewards.map(({ definition, config }) =>
    rows.map((row) => definition.ask?.(row, config, context) ?? []),
  );
  const wantsTeacher = setup.advantage.teacher !== undefined;
  const ofTeacher = wantsTeacher ? sampled.rows.map(ofWholeRow) : [];
  const questions = [...perReward.flat(2), ...ofTeacher];
  const ask = { student, teacher, padId: tokenizer.padId, random: random.stream("likelihood") };
  const { answers, cost } = await askLikelihoods(questions, ask);
  let next = 0;
  const take = (count: number) => answers.slice(next, (next += count));
  const answersOf = perReward.map((ofRows) => ofRows.map(({ length }) => take(length)));
  const teacherLogProbs = take(ofTeacher.length);

  const values = rows.map((row, i) => {
    const given = answersOf.map((ofRows) => ofRows[i] as (readonly number[])[]);
    return evaluateRewards(rewards, combine, row, given, context);
  });
  const outcomes = rows.map(
    ({ sampled: { own, tokenLogProbs, problem }, verification }, i): AdvantageRow => {
      const ofRow = teacherLogProbs[i];
      return {
        reward: values[i]?.total as number,
        correct: verification.correct,
        group: problem,
        ...{ own, tokenLogProbs },
        ...(ofRow && { teacherLogProbs: ofRow }),
      };
    },
  );
  const made = tokenAdvantages(outcomes, setup.advantage, progress);
  const choices = rowChoices.map((choice) => [choice, chosenRows(choice, outcomes)] as const);
  return {
    rows: rows.map(({ sampled: row, problem }, i) => ({
      sequence: toSequence(row, problem, tokenizer),
      sampled: row,
      advantages: made.advantages[i] as readonly number[],
      isLeftOut: made.isLeftOut[i] as boolean,
      chosen: Object.fromEntries(
        choices.map(([choice, isChosen]) => [choice, isChosen[i]]),
      ) as Record<RowChoice, boolean>,
    })),
    metrics: {
      ...rolloutMetrics(sampled.rows, tokenizer.endIds),
      ...(rewards.length === 0 ? {} : rewardMetrics(values, rewards)),
      correctShare: mean(rows.map(({ verification }) => Number(verification.correct))),
      ...(rewards.length === 0 ? {} : { degenerateGroups: made.degenerateGroups }),
      ...(sampled.measures && { sampler: sampled.measures }),
    },
    cost: addCosts(sampled.cost, cost),
  };
}

type RewardedRow = Omit<RewardRow, "answers">;

function describeRow(
  sampled: SampledRow,
  problems: readonly Problem[],
  { problems: source, tokenizer }: Pick<SamplerContext, "problems" | "tokenizer">,
): RewardedRow {
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

function ofWholeRow({ promptIds, completionIds }: SampledRow): LikelihoodQuestion {
  return { model: "teacher", promptIds, completionIds, temperature: 1 };
}

/** What is trained: only the completion, and of that what may be learned. */
function toSequence(
  { promptIds, completionIds, learned }: SampledRow,
  { id, completion }: Problem,
  tokenizer: Tokenizer,
): TokenSequence {
  return {
    ids: [...promptIds, ...completionIds],
    completionStart: promptIds.length,
    ...(learned && { learned: [...promptIds.map(() => 0), ...learned] }),
    ...(completion === undefined ? {} : { reference: tokenizer.encode(completion) }),
    id,
  };
}

function rolloutMetrics(
  rows: readonly SampledRow[],
  endIds: readonly number[],
): Pick<RolloutMetrics, "onPolicyShare" | "rolloutLength" | "rolloutEndRate"> {
  const isOwn = ({ own }: SampledRow) => own.every((value) => value === 1);
  const rolloutLength = mean(rows.map(({ completionIds }) => completionIds.length));
  return {
    onPolicyShare: mean(rows.map((row) => Number(isOwn(row)))),
    rolloutLength,
    // Where nothing can end a completion, a rate of 0 would say nothing.
    ...(endIds.length === 0
      ? {}
      : { rolloutEndRate: mean(rows.map(({ finished }) => Number(finished))) }),
  };
}

function rewardMetrics(
  values: readonly { readonly total: number; readonly values: readonly number[] }[],
  terms: readonly RewardTerm[],
): Pick<RolloutMetrics, "reward" | "rewardStd" | "rewards"> {
  const totals = values.map(({ total }) => total);
  const reward = mean(totals);
  const means = rewardLabels(terms).map((label, i) => [
    label,
    mean(values.map((row) => row.values[i] as number)),
  ]);
  return {
    reward,
    rewardStd: Math.sqrt(mean(totals.map((total) => (total - reward) ** 2))),
    rewards: Object.fromEntries(means) as Record<string, number>,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
