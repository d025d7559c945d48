import { z } from "zod";
import type { ProblemSource } from "../../data/index.js";
import { defineReward, type RewardRow } from "./define.js";
import { expressionField } from "./expression-field.js";

/**
 * Whether a completion has an answer that can be read, right or wrong: surrogate rewards can be had
 * with any answer, so that it says nothing about skill by itself.
 */
export const formatReward = defineReward({
  name: "format",
  summary: "1 where the completion has an answer in the form of the task, be it right or wrong.",
  reference:
    "Surrogate Signals from Format and Length, https://arxiv.org/abs/2505.19439; code insightLLM/rl-without-gt",
  needs: [],
  config: z.strictObject({
    mode: z
      .enum(["strict", "lenient"])
      .default("strict")
      .describe(
        "strict: it ends by itself, and with the answer. lenient: some line of it ends with one, whatever follows, also where it was cut off.",
      ),
    pattern: expressionField()
      .optional()
      .describe(
        "A regular expression to find in the completion, in place of the task's own form; strict: at its end.",
      ),
    present: z.number().default(1).describe("Reward where it is there."),
    missing: z.number().default(0).describe("Reward where it is not; −1 punishes (RLT's match)."),
  }),
  evaluate(row, { mode, pattern, present, missing }, { problems }) {
    const has =
      mode === "strict"
        ? row.sampled.finished && hasAtEnd(row, pattern)
        : hasAnywhere(row, pattern, problems);
    return has ? present : missing;
  },
});

function hasAtEnd({ completion, verification }: RewardRow, pattern: string | undefined): boolean {
  if (pattern === undefined) return verification.answer !== undefined;
  return new RegExp(`(?:${pattern})\\s*$`, "u").test(completion);
}

function hasAnywhere(
  { problem, completion, verification }: RewardRow,
  pattern: string | undefined,
  problems: ProblemSource,
): boolean {
  if (pattern !== undefined) return new RegExp(pattern, "u").test(completion);
  if (verification.answer !== undefined) return true;
  const lines = completion.split("\n");
  return lines.some((_, i) => {
    const beginning = lines.slice(0, i + 1).join("\n");
    return problems.verify(problem, beginning).answer !== undefined;
  });
}
