import type { Problem, ProblemSource, Tokenizer } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import { runSampler, type SamplingPolicy } from "../../rollouts/index.js";
import type { Random } from "../../tensors/index.js";
import { type SampledCompletions, withLengths } from "./evaluate.js";

export interface EpisodeOptions {
  readonly tokenizer: Tokenizer;
  readonly maxNewTokens: number;
  readonly policy: SamplingPolicy;
  readonly random: Random;
  /** Completions of each problem, side by side. Default: 1. */
  readonly samplesPerProblem?: number;
}

/**
 * Completions of problems whose world answers the student's actions (`respond`). What it answers counts
 * as tokens of the completion.
 */
export async function sampleEpisodes(
  student: LanguageModel,
  { source, problems }: { readonly source: ProblemSource; readonly problems: readonly Problem[] },
  { samplesPerProblem = 1, ...options }: EpisodeOptions,
): Promise<SampledCompletions> {
  const sampler = { type: "tool-loop", by: "student", samplesPerProblem } as const;
  const context = { ...options, problems: source, student };
  const { rows } = await runSampler(sampler, problems, context);
  return withLengths(rows);
}
