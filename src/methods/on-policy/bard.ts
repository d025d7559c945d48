import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  higher,
  lower,
  type ReinforceTrainer,
  rewardStage,
  rowsOf,
  shareField,
  tracesStage,
  warmSettings,
  warmStage,
  withPrefix,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const prefix = "§{budget}¤";
type Evaluation = StageRun["evaluation"];

/** Budget-aware reasoning distillation: traces of several budgets, then rewards within them. */
export const bard = defineMethod({
  number: 22,
  name: "bard",
  title: "BARD: budget-aware reasoning distillation",
  paper: { citation: "Niu et al. 2025", url: "https://arxiv.org/abs/2511.01470" },
  claim:
    "SFT on traces of several budgets, then rewards that multiply being right by keeping to the budget, keeps to budgets best; rewards that add brevity lose answers, and rewards without that SFT do not learn budgets.",
  fidelity: "proxy",
  note: "The factor of the budget is a reconstruction, as the paper's could not be read. The sum adds 1 − length / longest, a price of length, as no reward values the budget of a wrong answer. Traces are compressed by writing them in terser styles of the task.",
  settings: z.strictObject({
    ...baseSettings({
      ...{ problems: additionProblems(2), batchSize: 16 },
      ...{ evaluationRows: 100, evaluateEvery: 0 },
    }),
    ...warmSettings({ sftSteps: 800, learningRate: 1e-4 }),
    budgets: z
      .array(z.int().min(1))
      .min(2)
      .default([5, 11, 23])
      .describe("Tokens of a completion, from few to many, with room for the end token."),
    traces: countField(3000, "are written at every budget"),
    tolerance: z.number().positive().default(0.5).describe("[REC] κ: share beyond it worth 0."),
    unused: shareField(0.9, "[REC] η: what is left of the reward where no budget is used."),
  }),
  paperSettings: {
    budgets: { value: "500 to 8000", source: "3P" },
    fidelity: { value: "not known", source: "REC", here: "κ and η" },
    learningRate: { value: "not known", source: "REC" },
  },
  needs: ["completion", "solve"],
  arms(s) {
    const { budgets, samplesPerProblem, tolerance, unused } = s;
    const asked = (told: string): Evaluation => ({
      data: Object.fromEntries(
        budgets.map((budget) => {
          const problems = withPrefix(s.problems, told.replace("{budget}", String(budget)));
          return [`b${budget}`, { ...problems, budget }];
        }),
      ) as NonNullable<Evaluation>["data"],
    });
    const tokenizer = { type: "character", characters: "§¤0123456789" } as const;
    // Room for the mark of a budget, where the SFT has none.
    const student = freshStudent(s.student, 128);
    const base = (told: string): Stage[] => [
      tracesStage("traces", s, {
        ...{ count: s.traces, tokenizer, sampler: { type: "oracle" } },
        steps: [{ type: "compress", budgets, prefix: told }],
      }),
      warmStage(s, { student, data: rowsOf("traces"), tokenizer, evaluation: asked(told) }),
    ];
    const sampler = { type: "budgeted", budgets, samplesPerProblem, prefix } as const;
    const evaluation = { ...asked(prefix), samplesPerPrompt: 1 };
    const rewarded = (before: Stage[], trainer: Partial<ReinforceTrainer>): Stage[] => [
      ...before,
      rewardStage(s, { sampler, ...trainer }, { evaluation }),
    ];
    const product: Partial<ReinforceTrainer> = {
      rewards: [{ type: "budget-product", tolerance, unused }],
    };
    return {
      "SFT, no budgets": base(""),
      SFT: base(prefix),
      "rewards only": rewarded(base(""), product),
      "SFT, then sum": rewarded(base(prefix), {
        rewards: [{ type: "exact" }, { type: "length", shape: "shorter" }],
      }),
      "SFT, then product": rewarded(base(prefix), product),
    };
  },
  baseline: "SFT",
  derived: ({ budgets }) => ({
    "grows with budget": {
      type: "monotonicity",
      points: budgets.map((b) => ({ arm: "SFT, then product", metric: `b${b}.heldOut.accuracy` })),
    },
  }),
  comparisons: ({ budgets }) => [
    ...budgets.flatMap((b) => [
      lower(`b${b}.heldOut.budgetError`, "SFT, then product"),
      lower(`b${b}.heldOut.budgetError`, "SFT, then product", "rewards only"),
    ]),
    higher(`b${Math.max(...budgets)}.heldOut.accuracy`, "SFT, then product", "SFT, then sum"),
    { derived: "grows with budget", direction: "higher" },
  ],
  metrics: ({ budgets }) =>
    ["accuracy", "budgetError", "violationRate", "meanLength"].flatMap((measure) =>
      budgets.map((b) => `b${b}.heldOut.${measure}`),
    ),
  fairness: {
    equal: "rollouts",
    note: "All arms begin with as many steps of SFT on traces of the same problems; those with rewards then take as many steps of as many rollouts.",
  },
});
