import { z } from "zod";
import { byField, samplesField } from "./fields.js";
import { defineSampler } from "./sampler.js";
import { closeRow, openRows } from "./writing/open-row.js";
import { writeOn } from "./writing/write-on.js";

const config = z.strictObject({
  by: byField("student"),
  samplesPerProblem: samplesField(4),
  budgets: z
    .array(z.int().min(1))
    .min(1)
    .default([8, 16, 32, 64, 96])
    .describe("Tokens that a completion may have. (At toy size; the paper's are 500 to 8000.)"),
  use: z
    .enum(["each", "turn", "random"])
    .default("random")
    .describe(
      "Which problem has which budget: each of them, samplesPerProblem times; one, in turn; or one at random.",
    ),
  prefix: z
    .string()
    .includes("{budget}")
    .default("§{budget}¤")
    .describe("Put before the prompt; {budget} stands for the tokens."),
});

/** Completions under a budget that the prompt names; all of one problem and budget are a group. */
export const budgetedSampler = defineSampler({
  name: "budgeted",
  summary: "The prompt says how many tokens the completion may have.",
  reference: "BARD: budget-aware reasoning distillation",
  needs: [],
  needsFor: ({ by }) => [by],
  config,
  async sample(problems, { by, samplesPerProblem, budgets, use, prefix }, context) {
    const random = context.random.stream("budget");
    const count = use === "each" ? samplesPerProblem * budgets.length : samplesPerProblem;
    const budgetAt = (problem: number, sample: number) => {
      if (use === "random") return random.stream(problem).pick(budgets);
      const turn = use === "each" ? Math.floor(sample / samplesPerProblem) : problem;
      return budgets[turn % budgets.length] as number;
    };
    const opened = openRows(context, problems, count, ({ prompt }, { problem, sample }) => {
      const budget = budgetAt(problem, sample);
      const told = prefix.replaceAll("{budget}", String(budget)) + prompt;
      return { source: by, budget, prompt: told };
    });
    const { rows, cost } = await writeOn(problems, opened, { by, purpose: "write" }, context);
    return { rows: rows.map(closeRow), cost };
  },
});
