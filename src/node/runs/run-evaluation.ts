import { completionLengths, type PreparedData, type RunConfig } from "../../config/index.js";
import { decodeCompletion, type Tokenizer } from "../../data/index.js";
import type { Decoder, SequenceModel } from "../../models/index.js";
import {
  type RewardDefinition,
  rewardTermFromConfig,
  rolloutToSequence,
} from "../../rollouts/index.js";
import type { ListTeacher, Teacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import {
  evaluatePairs,
  evaluateRanking,
  evaluateSamples,
  type EvaluateSamplesOptions,
  evaluateStudent,
  evaluateWindows,
  type EvaluationSet,
  type ScoredCompletion,
  scoresOwnText,
  type TraceRow,
  viewTokens,
} from "../../trainers/index.js";
import { tokenTracer } from "../logs/traces.js";

export interface RunEvaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly completions: readonly CompletionRow[];
  /** As they stand in `traces.jsonl`, without their step. */
  readonly traces: readonly Omit<TraceRow, "step">[];
  /** By set that has a verifier: whether the completion of each problem is right. */
  readonly correct: Readonly<Record<string, readonly boolean[]>>;
}

/** A completion as text, as it stands in `completions.jsonl`. */
export interface CompletionRow {
  readonly set: string;
  readonly prompt: string;
  readonly completion: string;
  readonly correct?: boolean;
}

/** Completions per evaluation set that are logged. */
const loggedCompletions = 8;

export interface EvaluatedParts {
  readonly student: Decoder;
  /** For a trainer of rankings. */
  readonly ranker?: SequenceModel | undefined;
  readonly listTeacher?: ListTeacher | undefined;
  readonly teacher: Teacher | undefined;
  readonly tokenizer: Tokenizer;
  readonly data: PreparedData;
  readonly random: Random;
  readonly ownRewards: readonly RewardDefinition[];
}

/** Measures the student on every evaluation set of its data. */
export function evaluatorOf(
  config: RunConfig,
  parts: EvaluatedParts,
): () => Promise<RunEvaluation> {
  const { student, teacher, tokenizer, data, random } = parts;
  const { batchSize, sampling } = config.evaluation;
  const maxNewTokens = completionLengths(config, data).evaluation;
  const ofSamples = samplesOptions(config, parts.ownRewards);
  return async () => {
    const metrics: Record<string, number> = {};
    const completions: CompletionRow[] = [];
    const traces: Omit<TraceRow, "step">[] = [];
    const correct: Record<string, readonly boolean[]> = {};
    for (const set of data.evaluation) {
      Object.assign(metrics, await ofTrainer(config, parts, set));
      if (parts.ranker !== undefined || set.prompts.length === 0) continue;
      const result = await evaluateStudent(student, teacher, set, {
        batchSize,
        tokenizer,
        maxNewTokens,
        sampling,
        random: random.stream("evaluation"),
      });
      Object.assign(metrics, result.metrics);
      if (ofSamples !== undefined) {
        const more = { tokenizer, maxNewTokens, teacher, random: random.stream("evaluation") };
        Object.assign(metrics, await evaluateSamples(student, set, { ...more, ...ofSamples }));
      }
      traces.push(...(await tracesOf(config, parts, set, result.completions)));
      const verdicts = result.completions.flatMap((row) => row.correct ?? []);
      if (verdicts.length > 0) correct[set.name] = verdicts;
      const logged = result.completions.slice(0, loggedCompletions);
      for (const { promptIds, completionIds, ...row } of logged) {
        const prompt = tokenizer.decode(promptIds);
        completions.push({
          ...row,
          prompt,
          completion: decodeCompletion(tokenizer, promptIds, completionIds),
        });
      }
    }
    return { metrics, completions, traces, correct };
  };
}

/** How both models see the completions of a set's first prompts, where that is asked for. */
async function tracesOf(
  { evaluation }: RunConfig,
  { student, teacher, tokenizer }: EvaluatedParts,
  { name, rows }: EvaluationSet,
  completions: readonly ScoredCompletion[],
): Promise<Omit<TraceRow, "step">[]> {
  const traces: Omit<TraceRow, "step">[] = [];
  const trace = tokenTracer(tokenizer);
  for (const [i, completion] of completions.slice(0, evaluation.traces ?? 0).entries()) {
    const { promptIds, completionIds } = completion;
    const row = rolloutToSequence(completion, rows[i]);
    const knows = rows[i] === undefined || (teacher?.knows?.(rows[i]) ?? true);
    const scorer = scoresOwnText(student, teacher) && knows ? teacher : undefined;
    const views = await viewTokens(student, scorer, row, { padId: tokenizer.padId });
    if (completionIds.length === 0) continue;
    const prompt = tokenizer.decode(promptIds);
    traces.push({ version: 1, set: name, prompt, tokens: trace(row, views) });
  }
  return traces;
}

/** Measures that belong to the trainer: of pairs, of rankings, of a text model that ranks by windows. */
async function ofTrainer(
  config: RunConfig,
  { student, ranker, listTeacher, tokenizer, data, random }: EvaluatedParts,
  { name, pairs, lists }: EvaluationSet,
): Promise<Record<string, number>> {
  const { trainer, evaluation } = config;
  const { batchSize, window, sampling } = evaluation;
  const { padId } = tokenizer;
  const measured: Record<string, number>[] = [];
  if (ranker !== undefined && lists !== undefined) {
    measured.push(await evaluateRanking(ranker, lists, { padId, batchSize, teacher: listTeacher }));
  }
  if (trainer.type === "pairs" && pairs !== undefined) {
    measured.push(await evaluatePairs(student, pairs, { padId, batchSize }));
  }
  if (ranker === undefined && window !== undefined && lists !== undefined) {
    const maxNewTokens = completionLengths(config, data).evaluation;
    const options = { tokenizer, window, maxNewTokens, batchSize, sampling, first: listTeacher };
    const stream = random.stream("evaluation", name);
    measured.push(await evaluateWindows(student, lists, { ...options, random: stream }));
  }
  const named = measured.flatMap((metrics) =>
    Object.entries(metrics).map(([key, value]) => [`${name}.${key}`, value] as const),
  );
  return Object.fromEntries(named);
}

/** Completions of each prompt where a reinforce run does not say how many. */
const usualSamples = 4;

/** How many completions of each prompt to make, and what they are worth; undefined: none. */
function samplesOptions(
  { trainer, evaluation: { samplesPerPrompt, batchSize } }: RunConfig,
  ownRewards: readonly RewardDefinition[],
): Omit<EvaluateSamplesOptions, "tokenizer" | "maxNewTokens" | "random"> | undefined {
  if (trainer.type !== "reinforce") {
    return samplesPerPrompt === undefined || samplesPerPrompt === 1
      ? undefined
      : { samplesPerPrompt, batchSize };
  }
  const { sampling, combine } = trainer;
  const rewards = trainer.rewards.map((term) => rewardTermFromConfig(term, ownRewards));
  const count = samplesPerPrompt ?? usualSamples;
  return { samplesPerPrompt: count, batchSize, sampling, combine, rewards };
}
