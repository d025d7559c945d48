import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  fromStage,
  higher,
  keepField,
  rateField,
  sftOnRows,
  sftStage,
  sizeField,
  stepsField,
  tracesStage,
  trainStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** A strong model learns to reason from the traces of a weak one. */
export const w2sr = defineMethod({
  number: 1,
  name: "w2sr",
  title: "Incentivizing Strong Reasoning from Weak Supervision (W2SR)",
  paper: { citation: "Yuan et al., EACL 2026", url: "https://arxiv.org/abs/2505.20072" },
  claim:
    "A strong model without reasoning that learns the traces of a weaker reasoner gains most of what reinforcement learning would give it, surpasses the weak one, and gains from wrong traces too; traces without reasoning do not help it as much.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...baseSettings({
      problems: additionProblems(2, { minDigits: 1 }),
      student: "S0w",
      batchSize: 32,
      evaluateEvery: 0,
    }),
    weak: sizeField("S0", "weak model"),
    reasoningSteps: stepsField(450, "the SFT on worked solutions that the weak model begins with"),
    directSteps: stepsField(150, "the SFT on answers alone of the strong and the weak model"),
    sftRate: rateField(3e-3, "these"),
    rlSteps: stepsField(100, "reinforcement learning, of the weak and of the strong model"),
    rlRate: rateField(2e-4, "reinforcement learning"),
    traceProblems: countField(2000, "the weak model writes traces of"),
    steps: stepsField(500, "the SFT of the strong model on them"),
    learningRate: rateField(2e-3, "that SFT"),
    keep: keepField,
    recovered: z
      .number()
      .default(0.5)
      .describe("[REC] Least share of the gain of RL that counts as most of it."),
  }),
  paperSettings: {
    learningRate: { value: "1e-5 or 2e-5", source: "3P" },
    steps: { value: "5 or 10 epochs", source: "3P" },
    batchSize: { value: 128, source: "3P" },
    recovered: { value: "close to 0.94", source: "ABS" },
  },
  needs: ["completion"],
  arms(s) {
    const direct = { ...s, problems: withTask(s.problems, { style: "direct" }) };
    const sft = (name: string, of: typeof s, size: typeof s.weak, steps: number) =>
      sftStage(name, of, { student: freshStudent(size, 128), steps, learningRate: s.sftRate });
    const reinforce = (name: string, from: string) =>
      trainStage(name, s, {
        student: fromStage(from),
        trainer: { type: "reinforce", steps: s.rlSteps, learningRate: s.rlRate },
      });
    const base = sft("base", direct, s.student, s.directSteps);
    const weak = [sft("weak-sft", s, s.weak, s.reasoningSteps), reinforce("weak", "weak-sft")];
    const silent = sft("weak", direct, s.weak, s.directSteps);
    const taught = (writer: readonly Stage[], ...steps: string[]): Stage[] => [
      base,
      ...writer,
      tracesStage("traces", s, {
        ...{ count: s.traceProblems, student: "stage:weak" },
        sampler: { type: "plain", samplesPerProblem: 1 },
        steps: steps.map((type) => ({ type })),
      }),
      sftOnRows("taught", s, ["traces"], {
        student: fromStage("base"),
        ...{ steps: s.steps, learningRate: s.learningRate },
      }),
    ];
    return {
      base: [base],
      weak,
      "strong RL": [base, reinforce("rl", "base")],
      "all traces": taught(weak),
      "right traces": taught(weak, s.keep),
      "wrong traces": taught(weak, "incorrect"),
      "traces without reasoning": taught([silent]),
    };
  },
  baseline: "base",
  derived: {
    RGR: { type: "gap-recovered", metric, arm: "all traces", low: "base", high: "strong RL" },
  },
  comparisons: ({ recovered }) => [
    higher(metric, "all traces"),
    { derived: "RGR", direction: "higher", margin: recovered },
    higher(metric, "all traces", "weak"),
    higher(metric, "wrong traces"),
    higher(metric, "all traces", "traces without reasoning"),
  ],
  metrics: [metric, "longer.accuracy", "heldOut.meanLength"],
  fairness: {
    equal: "steps",
    note: "All taught arms begin with the same strong model and take as many steps of as many rows; RL takes its own number of steps, and samples besides.",
  },
  smoke: { keep: "any" },
});
