import { z } from "zod";
import {
  additionSettings,
  countField,
  freshStudent,
  fromStage,
  higher,
  rateField,
  sftOnRows,
  sftStage,
  shareField,
  stepsField,
  tracesStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** Traces as long as their problem is hard for the student. */
export const dap = defineMethod({
  number: 15,
  name: "dap",
  title: "Concise Reasoning, Big Gains: Difficulty-Aware Prompting (DAP, LiteCoT)",
  paper: { citation: "Wu et al. 2025", url: "https://arxiv.org/abs/2505.19716" },
  claim:
    "Of equally many tokens, a student learns more from traces whose length suits the difficulty of their problem than from long ones or short ones throughout.",
  fidelity: "faithful",
  note: "Difficulty is the share of the student's own wrong attempts; the task's solver writes each problem's trace anew in place of a model that rewrites it.",
  settings: z.strictObject({
    ...additionSettings(0),
    long: z.string().default("scratchpad").describe("[REC] Style for hard problems."),
    short: z.string().default("carries").describe("[REC] Style for problems in between."),
    shortest: z.string().default("direct").describe("[REC] Style for easy problems."),
    easy: shareField(1 / 3, "[REC] Share of wrong attempts below which a problem is easy."),
    hard: shareField(2 / 3, "[REC] Share from which it is hard."),
    attempts: z.int().min(1).default(8).describe("Attempts at each problem by the student."),
    baseSteps: stepsField(300, "the SFT in all styles that every arm begins with"),
    baseRate: rateField(3e-3, "that SFT"),
    traceProblems: countField(600, "traces are written of, at most"),
    tokens: z.int().min(1).default(4000).describe("Tokens of all traces of an arm, at most."),
    steps: stepsField(400, "every arm after it"),
    learningRate: rateField(1e-3, "every arm after it"),
  }),
  paperSettings: {
    lengths: { value: "easy, medium and hard", source: "REC", here: "three styles" },
    learningRate: { value: 5e-5, source: "SRC" },
    steps: { value: "3 epochs", source: "SRC" },
    batchSize: { value: "4 × 8", source: "SRC" },
    corpus: { value: "100K traces of 720 tokens", source: "ABS", here: "equal tokens" },
  },
  needs: ["solve", "completion"],
  arms(s) {
    const all = withTask(s.problems, { style: [s.long, s.short, s.shortest] });
    const base = sftStage("base", s, {
      ...{ student: freshStudent(s.student, 128), data: all },
      ...{ steps: s.baseSteps, learningRate: s.baseRate },
    });
    const arm = (sampler: unknown, steps: readonly unknown[]) => [
      base,
      tracesStage("traces", s, {
        ...{ count: s.traceProblems, student: "stage:base", sampler },
        steps: [...steps, { type: "limit", tokens: s.tokens }],
      }),
      sftOnRows("sft", s, ["traces"], {
        ...{ student: fromStage("base"), steps: s.steps, learningRate: s.learningRate },
      }),
    ];
    const uniform = (style: string) =>
      arm({ type: "oracle", styles: [style] }, [{ type: "correct" }]);
    const grades = [
      { below: s.easy, solve: { style: s.shortest } },
      { below: s.hard, solve: { style: s.short } },
      { below: 1, solve: { style: s.long } },
    ];
    return {
      long: uniform(s.long),
      short: uniform(s.short),
      DAP: arm({ type: "plain", samplesPerProblem: s.attempts }, [
        { type: "difficulty-rewrite", grades },
      ]),
    };
  },
  baseline: "long",
  comparisons: [higher(metric, "DAP"), higher(metric, "DAP", "short")],
  metrics: [metric, "heldOut.meanLength", "longer.accuracy"],
  fairness: {
    equal: "tokens",
    note: "The traces of all arms have equally many tokens in all (fewer where the problems do not suffice), so that shorter ones are of more problems; all arms take as many steps of as many rows.",
  },
});
