import { PupilError } from "../../errors/index.js";
import type { Trace, TraceContext } from "./trace.js";

/**
 * Log-probabilities of the tokens of completions under the student.
 *
 * @throws PupilError without a student
 */
export function studentLogProbs(
  traces: readonly Pick<Trace, "prompt" | "completion">[],
  { logProbs }: TraceContext,
  step: string,
): Promise<readonly (readonly number[])[]> {
  if (logProbs !== undefined) return logProbs(traces);
  throw new PupilError(`The step "${step}" needs the likelihood of a student, and none is given.`, {
    field: "student",
    remedy: 'Give it: "student": "<model folder>".',
  });
}
