import { baseSettings, type ProblemsInput } from "./settings.js";

/**
 * Additions of numbers with so many digits, worked out column by column. With three digits a student of
 * 0.1 million parameters solves some in 400 steps of SFT and most in 1000: between the two is room to
 * learn from a teacher.
 *
 * @param options of the task, in place of these
 */
export function additionProblems(
  digits: number,
  options: Readonly<Record<string, unknown>> = {},
): ProblemsInput {
  const task = { type: "addition", minDigits: digits, maxDigits: digits, ...options };
  return { type: "task", task } as ProblemsInput;
}

/** The base fields of most methods: additions of one to three digits, 32 rows a step. */
export function additionSettings(evaluateEvery?: number) {
  const problems = additionProblems(3, { minDigits: 1 });
  return baseSettings({
    ...{ problems, batchSize: 32 },
    ...(evaluateEvery === undefined ? {} : { evaluateEvery }),
  });
}
