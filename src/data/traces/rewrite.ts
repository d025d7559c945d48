import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import type { Problem, ProblemSource, SolveOptions } from "../problems/index.js";
import type { Trace, TraceContext } from "./trace.js";

/** A trace with another completion, whole and judged again. */
export function rewritten(
  { problem, prompt, source }: Pick<Trace, "problem" | "prompt" | "source">,
  completion: string,
  { problems, countTokens }: TraceContext,
): Trace {
  const { correct, answer } = problems.verify(problem, completion);
  const tokens = countTokens(completion);
  return { problem, prompt, completion, finished: true, correct, answer, source, tokens };
}

/** A solution by rule. @throws PupilError for sources that solve nothing */
export function solved(
  { solve, name }: ProblemSource,
  problem: Problem,
  options: SolveOptions,
  random: Random,
): string {
  if (solve !== undefined) return solve(problem, options, random);
  throw new PupilError(`${name} has no solutions by rule.`, {
    field: problem.id,
    remedy: "Take a task, or leave this step out.",
  });
}

/** A completion that is the answer alone: the answer's text, or what the tersest style writes. */
export function answerAlone(problem: Problem, context: TraceContext): string {
  const { problems, random } = context;
  if (problems.verify(problem, problem.answer).correct) return problem.answer;
  const style = problems.styles?.at(-1);
  if (style !== undefined && problems.solve !== undefined) {
    const text = problems.solve(problem, { style, errorRate: 0 }, random.stream("answer"));
    if (problems.verify(problem, text).correct) return text;
  }
  throw new PupilError(`${problems.name} does not take the bare answer for a completion.`, {
    field: problem.id,
    value: problem.answer,
    remedy: "Use a view of the trace, or a verifier that reads a bare answer.",
  });
}
