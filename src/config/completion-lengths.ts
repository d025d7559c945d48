import type { PreparedData } from "./datasets/index.js";
import type { RunConfig } from "./run.js";

/** Longest completions that a run samples, in tokens. */
export interface CompletionLengths {
  readonly training: number;
  readonly evaluation: number;
}

/**
 * What the config asks for; else the longest of the data, and in evaluations what training has or,
 * where they are on other data, what that needs.
 */
export function completionLengths(
  { trainer, evaluation }: RunConfig,
  data: Pick<PreparedData, "maxNewTokens" | "evaluationNewTokens">,
): CompletionLengths {
  const asked = "maxNewTokens" in trainer ? trainer.maxNewTokens : undefined;
  const training = asked ?? data.maxNewTokens;
  const needed = Math.max(training, data.evaluationNewTokens ?? 0);
  return { training, evaluation: evaluation.maxNewTokens ?? needed };
}

/**
 * Positions for the rows of the data and for every completion that is sampled: what a student needs
 * whose context is not given. The last token of a completion is never fed back.
 */
export function positionsNeeded(config: RunConfig, data: PreparedData): number {
  const { training, evaluation } = completionLengths(config, data);
  const sampled = data.longestPrompt + Math.max(training, evaluation) - 1;
  return Math.max(data.positions, sampled);
}

/**
 * What is said where the context is too short for the longest completions behind the longest prompt.
 *
 * @param trains whether there are completions of training at all
 */
export function contextNotes(
  config: RunConfig,
  data: PreparedData,
  contextLength: number,
  trains = true,
): string[] {
  const { training, evaluation } = completionLengths(config, data);
  const asked = trains ? Math.max(training, evaluation) : evaluation;
  return roomNotes(contextLength, data, asked);
}

/** What is said where a context leaves less room behind the longest prompt than is asked for. */
export function roomNotes(
  contextLength: number,
  { longestPrompt }: Pick<PreparedData, "longestPrompt">,
  maxNewTokens: number,
): string[] {
  const room = contextLength - longestPrompt + 1;
  if (maxNewTokens <= room) return [];
  return [
    `Completions behind long prompts are cut off: of the context of ${contextLength} tokens the longest ` +
      `prompt takes ${longestPrompt}, which leaves ${room} of the ${maxNewTokens} new tokens asked for.`,
  ];
}
