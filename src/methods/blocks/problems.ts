import type { ProblemsInput } from "./settings.js";

/**
 * Chains of sums and differences in symbols (`a=17;b=a+4;b?`): short prompts, a line per hop, no
 * distractors. What a student of 0.1 million parameters can learn in a minute.
 *
 * @param options of the task, in place of these
 */
export function chainProblems(
  hops: number,
  options: Readonly<Record<string, unknown>> = {},
): ProblemsInput {
  const task = {
    ...{ type: "chain", minHops: hops, maxHops: hops, wording: "symbols", distractors: 0 },
    ...{ operations: ["+", "-"], order: "forward", ...options },
  };
  return { type: "task", task } as ProblemsInput;
}
