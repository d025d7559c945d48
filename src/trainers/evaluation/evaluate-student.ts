import type {
  Problem,
  ProblemSource,
  RankingList,
  Tokenizer,
  TokenSequence,
} from "../../data/index.js";
import type { TokenPair } from "../pairs.js";
import type { LanguageModel } from "../../models/index.js";
import {
  ownDistribution,
  type Rollout,
  rolloutToSequence,
  type SamplingPolicy,
} from "../../rollouts/index.js";
import type { Teacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import { evaluateDivergence, evaluateLoss, sampleCompletions } from "./evaluate.js";
import { sampleEpisodes } from "./sample-episodes.js";
import { scoresOwnText } from "./view-tokens.js";

/** Rows to evaluate on that were never trained on. */
export interface EvaluationSet {
  /** `heldOut`, or `longer` for problems beyond the training lengths. */
  readonly name: string;
  /** Given completions, for the loss; where there are prompts, in their order. */
  readonly rows: readonly TokenSequence[];
  readonly prompts: readonly (readonly number[])[];
  /** Whether a completion of prompt `index` is right; absent where nothing can tell. */
  readonly verify?: (index: number, completionIds: readonly number[]) => boolean;
  /** The problems that the prompts are of, in their order, and who judges what is written about them. */
  readonly asked?: { readonly source: ProblemSource; readonly problems: readonly Problem[] };
  /** Tokens that completions should have, without their end. */
  readonly budget?: number;
  /** For trainers of pairs: preferred and rejected answers. */
  readonly pairs?: readonly TokenPair[];
  /** For trainers of rankings, and for text models that rank a window at a time. */
  readonly lists?: readonly RankingList[];
}

export interface EvaluateOptions {
  readonly tokenizer: Tokenizer;
  readonly maxNewTokens: number;
  readonly random: Random;
  /** How the completions are made that are verified. Default: greedy. */
  readonly sampling?: SamplingPolicy;
  /** Rows per forward pass. Default: 32. */
  readonly batchSize?: number;
}

/** One completion, for people to look at. */
export interface ScoredCompletion {
  readonly set: string;
  readonly promptIds: readonly number[];
  readonly completionIds: readonly number[];
  readonly correct?: boolean;
}

export interface StudentEvaluation {
  /** `<set>.loss` and `<set>.perplexity` (where there are given completions), `<set>.accuracy`, `<set>.meanLength`, `<set>.endRate`, for sets with a budget `<set>.budgetError` and `<set>.violationRate`, and with a teacher that has logits of the same vocabulary, and knows the rows, `<set>.forwardKl`, `<set>.reverseKl`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly completions: readonly ScoredCompletion[];
}

const greedy: SamplingPolicy = { ...ownDistribution, greedy: true };

/** Completions to make for people to look at, where nothing verifies them. */
const shownCompletions = 8;

/**
 * Everything the project reports about a student on a set: loss of the given completions; accuracy,
 * length and end rate of completions made by `sampling`; and both KLs to the teacher, averaged over
 * the tokens of the student's own samples at temperature 1.
 */
export async function evaluateStudent(
  student: LanguageModel,
  teacher: Teacher | undefined,
  set: EvaluationSet,
  options: EvaluateOptions,
): Promise<StudentEvaluation> {
  const { tokenizer, maxNewTokens, random, sampling = greedy, batchSize = 32 } = options;
  const { endIds, padId } = tokenizer;
  const { verify } = set;
  const isMeasured = verify !== undefined || set.budget !== undefined;
  const shown = isMeasured ? set.prompts : set.prompts.slice(0, shownCompletions);
  const sample = (
    prompts: EvaluationSet["prompts"],
    policy: SamplingPolicy,
    purpose: string,
    maxPositions?: number,
  ) =>
    sampleCompletions(student, prompts, {
      maxPositions,
      batchSize,
      endIds,
      padId,
      maxNewTokens,
      policy,
      random: random.stream("evaluate", set.name, purpose),
    });

  const heldOut = await evaluateLoss(student, completedRows(set.rows, endIds), batchSize, padId);
  const { asked } = set;
  const scored =
    asked?.source.respond === undefined
      ? await sample(shown, sampling, "accuracy")
      : await sampleEpisodes(
          student,
          { source: asked.source, problems: asked.problems.slice(0, shown.length) },
          {
            ...{ tokenizer, maxNewTokens, policy: sampling },
            random: random.stream("evaluate", set.name, "accuracy"),
          },
        );
  const correct = scored.rollouts.map((rollout, i) => verify?.(i, rollout.completionIds));
  const metrics: Record<string, number> = {};
  if (heldOut.tokens > 0) {
    metrics["loss"] = heldOut.loss;
    metrics["perplexity"] = heldOut.perplexity;
  }
  if (verify !== undefined) metrics["accuracy"] = mean(correct.map(Number));
  metrics["meanLength"] = scored.meanLength;
  metrics["endRate"] = scored.endRate;
  if (set.budget !== undefined) {
    Object.assign(metrics, budgetMeasures(scored.rollouts, endIds, set.budget));
  }

  // On what the student writes itself, which not every teacher can score.
  const knowsAll = set.rows.every((row) => teacher?.knows?.(row) ?? true);
  if (teacher !== undefined && scoresOwnText(student, teacher) && knowsAll) {
    const { rollouts } = await sample(
      set.prompts,
      ownDistribution,
      "divergence",
      teacher.maxPositions,
    );
    const written = rollouts.map((rollout, i) => rolloutToSequence(rollout, set.rows[i]));
    const divergence = await evaluateDivergence(student, teacher, written, batchSize, padId);
    // Of no token there is no mean.
    if (divergence.tokens > 0) {
      metrics["forwardKl"] = divergence.forwardKl;
      metrics["reverseKl"] = divergence.reverseKl;
    }
  }
  const completions = scored.rollouts.map(({ promptIds, completionIds }, i) => {
    const verdict = correct[i];
    const row = { set: set.name, promptIds, completionIds };
    return verdict === undefined ? row : { ...row, correct: verdict };
  });
  const named = Object.entries(metrics).map(([key, value]) => [`${set.name}.${key}`, value]);
  return { metrics: Object.fromEntries(named) as Record<string, number>, completions };
}

/** Mean |L − b| / b of the lengths L without the end token, and the share of L > b. */
function budgetMeasures(
  rollouts: readonly Rollout[],
  endIds: readonly number[],
  budget: number,
): Record<"budgetError" | "violationRate", number> {
  const lengths = rollouts.map(
    ({ completionIds }) => completionIds.filter((id) => !endIds.includes(id)).length,
  );
  return {
    budgetError: mean(lengths.map((length) => Math.abs(length - budget) / budget)),
    violationRate: mean(lengths.map((length) => Number(length > budget))),
  };
}

/** Rows that say more than where they end: of prompts alone there is no loss to report. */
export function completedRows(
  rows: readonly TokenSequence[],
  endIds: readonly number[],
): TokenSequence[] {
  return rows.filter(({ ids, completionStart }) =>
    ids.slice(completionStart).some((id) => !endIds.includes(id)),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
