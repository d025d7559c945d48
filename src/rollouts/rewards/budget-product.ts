import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import { defineReward, type RewardRow } from "./define.js";
import { expressionField } from "./expression-field.js";

/**
 * Right answers within a budget of tokens, as a product: with a sum, short wrong answers are worth
 * something.
 *
 *     r = right · f(L, b),   f = 1 for L ≤ b, else max(0, 1 − (L − b)/(κ b))
 *     with f ← f · (η + (1 − η) min(1, L/b)) against leaving the budget unused
 *
 * The paper's f could not be read: κ = 0.5 and η = 0.9 are reconstructions [REC], η is off by default.
 */
export const budgetProductReward = defineReward({
  name: "budget-product",
  summary: "1 for a right answer within its budget of tokens, less beyond it, 0 for a wrong one.",
  reference:
    "BARD: budget-aware reasoning distillation (the product; its second factor is a reconstruction)",
  needs: [],
  config: z.strictObject({
    budget: z
      .number()
      .positive()
      .optional()
      .describe("Tokens b that every completion may have. Or give `pattern` or `marks`."),
    pattern: expressionField()
      .optional()
      .describe("A regular expression whose first group is the budget in the prompt."),
    marks: z
      .record(z.string(), z.number().positive())
      .optional()
      .describe('Budgets by the text in the prompt that stands for each, such as { "§": 16 }.'),
    tolerance: z
      .number()
      .positive()
      .default(0.5)
      .describe("κ: share of the budget beyond it at which the reward reaches 0. [REC]"),
    unused: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("η: what is left of the reward of a completion of no length; 1 is off, 0.9 [REC]."),
  }),
  needsFor: ({ budget, pattern, marks }) =>
    budget === undefined && pattern === undefined && marks === undefined ? ["budget"] : [],
  evaluate(row, config) {
    if (!row.verification.correct) return 0;
    return budgetFidelity(row.length, budgetOf(row, config), config);
  },
});

/** f(L, b), 0 to 1. */
export function budgetFidelity(
  length: number,
  budget: number,
  { tolerance, unused }: { readonly tolerance: number; readonly unused: number },
): number {
  const within = Math.max(0, 1 - Math.max(0, length - budget) / (tolerance * budget));
  return within * (unused + (1 - unused) * Math.min(1, length / budget));
}

interface BudgetOptions {
  readonly budget?: number | undefined;
  readonly pattern?: string | undefined;
  readonly marks?: Readonly<Record<string, number>> | undefined;
}

function budgetOf({ prompt, problem, sampled }: RewardRow, options: BudgetOptions): number {
  if (sampled.budget !== undefined) return sampled.budget;
  const { budget, pattern, marks = {} } = options;
  if (pattern !== undefined) {
    const found = Number(new RegExp(pattern, "u").exec(prompt)?.[1]);
    if (found > 0) return found;
  }
  const mark = Object.keys(marks).find((text) => prompt.includes(text));
  const known = mark === undefined ? budget : marks[mark];
  if (known !== undefined) return known;
  throw new PupilError("knows no budget of this problem.", {
    field: "budget-product",
    value: problem.id,
    remedy:
      "Set budget; or pattern or marks, which read it from the prompt; or use a sampler that sets budgets.",
  });
}
