import {
  encodePrompt,
  type Problem,
  type Tokenizer,
  type TokenSequence,
} from "../../data/index.js";
import {
  addCosts,
  type AdvantageOptions,
  type AdvantageRow,
  chosenRows,
  type LikelihoodQuestion,
  rewardLabels,
  type RewardTerm,
  type RowChoice,
  rowChoices,
  type RowReward,
  type Sampled,
  type SampledRow,
  type SamplingCost,
  tokenAdvantages,
} from "../../rollouts/index.js";
import type { Random } from "../../tensors/index.js";
import type { StepMetrics } from "../step/metrics.js";
import { type Valuation, valueRows } from "./value-rows.js";

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
export interface RolloutSetup extends Valuation {
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
  const { tokenizer, rewards, advantage } = setup;
  const sampled = await setup.sample(problems, random.stream("sample"));
  const ofTeacher = advantage.teacher === undefined ? [] : sampled.rows.map(ofWholeRow);
  const asking = random.stream("likelihood");
  const valued = await valueRows(setup, sampled.rows, problems, asking, ofTeacher);
  const outcomes = valued.rows.map(({ sampled: row, verification, reward }, i): AdvantageRow => {
    const teacherLogProbs = valued.answers[i];
    return {
      reward: reward.total,
      correct: verification.correct,
      group: row.problem,
      ...{ own: row.own, tokenLogProbs: row.tokenLogProbs },
      ...(teacherLogProbs && { teacherLogProbs }),
    };
  });
  const made = tokenAdvantages(outcomes, advantage, progress);
  const choices = rowChoices.map((choice) => [choice, chosenRows(choice, outcomes)] as const);
  return {
    rows: valued.rows.map(({ sampled: row, problem }, i) => ({
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
      correctShare: mean(outcomes.map(({ correct }) => Number(correct))),
      ...(rewards.length === 0
        ? {}
        : {
            ...rewardMetrics(
              valued.rows.map(({ reward }) => reward),
              rewards,
            ),
            degenerateGroups: made.degenerateGroups,
          }),
      ...(sampled.measures && { sampler: sampled.measures }),
    },
    cost: addCosts(sampled.cost, valued.cost),
  };
}

function ofWholeRow({ promptIds, completionIds }: SampledRow): LikelihoodQuestion {
  return { model: "teacher", promptIds, completionIds, temperature: 1 };
}

/** What is trained: only the completion, and of that what may be learned. */
function toSequence(
  { promptIds, completionIds, learned, shownPrompt }: SampledRow,
  { id, completion }: Problem,
  tokenizer: Tokenizer,
): TokenSequence {
  return {
    ids: [...promptIds, ...completionIds],
    completionStart: promptIds.length,
    ...(learned && { learned: [...promptIds.map(() => 0), ...learned] }),
    ...(completion === undefined ? {} : { reference: tokenizer.encode(completion) }),
    ...(shownPrompt === undefined ? {} : { shownPrompt: encodePrompt(tokenizer, shownPrompt) }),
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
  values: readonly RowReward[],
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
