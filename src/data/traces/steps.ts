import type { Problem, ProblemSource, StepJudgement } from "../problems/index.js";

/** A step of a completion and where the next one begins. */
export interface TraceStepPart extends StepJudgement {
  readonly text: string;
  /** Start of the next step, or the end of the completion: what separates steps belongs to the one before. */
  readonly next: number;
}

/** The steps of a completion as the source judges them; undefined for sources that judge none. */
export function judgedSteps(
  { checkSteps }: ProblemSource,
  problem: Problem,
  completion: string,
): TraceStepPart[] | undefined {
  const steps = checkSteps?.(problem, completion);
  return steps?.map(({ start, end, correct }, i) => ({
    ...{ start, end, correct, text: completion.slice(start, end) },
    next: steps[i + 1]?.start ?? completion.length,
  }));
}

/** The same, of sources that judge none by lines, or by sentences where there is one line; all taken for right. */
export function stepsOf(
  source: ProblemSource,
  problem: Problem,
  completion: string,
): TraceStepPart[] {
  return judgedSteps(source, problem, completion) ?? piecesOf(completion);
}

/** Lines, or the sentences of a single line, without the white space behind them. */
export function piecesOf(completion: string): TraceStepPart[] {
  const isLines = completion.trim().includes("\n");
  const pattern = isLines ? /[^\n]+/g : /[^.;!?]+[.;!?]*(?=\s|$)|[^.;!?]+$/g;
  const found = [...completion.matchAll(pattern)].filter(([text]) => text.trim() !== "");
  return found.map((match, i) => {
    const lead = match[0].length - match[0].trimStart().length;
    const start = match.index + lead;
    const text = match[0].trim();
    const next = found[i + 1];
    return {
      ...{ start, end: start + text.length, text, correct: true },
      next: next === undefined ? completion.length : startOf(next),
    };
  });
}

function startOf(match: RegExpExecArray): number {
  return match.index + match[0].length - match[0].trimStart().length;
}

/** The first wrong step. */
export function firstError(steps: readonly TraceStepPart[]): TraceStepPart | undefined {
  return steps.find(({ correct }) => !correct);
}

/**
 * How much of `rest`, which goes on from `prefix`, is its first step, with what separates it from the
 * next; all of it where it is the last.
 */
export function firstStepLength(
  source: ProblemSource,
  problem: Problem,
  prefix: string,
  rest: string,
): number {
  const steps = stepsOf(source, problem, prefix + rest);
  const step = steps.find(({ end }) => end > prefix.length);
  return (step?.next ?? prefix.length + rest.length) - prefix.length;
}
