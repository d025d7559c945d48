import { z } from "zod";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  fromStage,
  higher,
  rateField,
  sftOnRows,
  sftStage,
  stepsField,
  tracesStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";
const filtered = (samples: number) => `${samples} chains, right ones`;
const unfiltered = (samples: number) => `${samples} chains`;

/** Many chains of thought of every problem, right or wrong, and which of them to keep. */
export const scotd = defineMethod({
  number: 52,
  name: "scotd",
  title: "Symbolic Chain-of-Thought Distillation (SCoTD)",
  paper: { citation: "Li et al., ACL 2023", url: "https://arxiv.org/abs/2306.14050" },
  claim:
    "Many chains of each problem beat one, with and without a filter for right answers; of equally many, diverse ones beat likely ones.",
  fidelity: "faithful",
  note: "The teacher is the task's solver with mistakes; its chains of one problem differ in style and in being right.",
  settings: z.strictObject({
    ...baseSettings({
      problems: additionProblems(2, {
        ...{ minDigits: 1, errorRate: 0.2 },
        style: ["scratchpad", "carries", "reversed"],
      }),
      batchSize: 32,
      evaluateEvery: 0,
    }),
    samples: z
      .array(z.int().min(1))
      .min(2)
      .default([1, 5, 30])
      .describe("N from the least to the most: chains of each problem, two arms each."),
    chosen: z
      .int()
      .min(1)
      .default(2)
      .describe("[REC] Chains that are chosen of the most, the likeliest or the most diverse."),
    traceProblems: countField(300, "the teacher solves"),
    baseSteps: stepsField(100, "the SFT on answers alone that every arm begins with"),
    steps: stepsField(800, "every arm after it"),
    learningRate: rateField(3e-3, "both"),
  }),
  paperSettings: {
    samples: { value: 30, source: "SRC" },
    learningRate: { value: 2e-5, source: "SRC" },
    steps: { value: 20_000, source: "SRC" },
    batchSize: { value: 32, source: "SRC" },
    student: { value: "OPT-1.3B", source: "SRC" },
  },
  needs: ["solve"],
  arms(s) {
    const { learningRate } = s;
    const answers = { ...s, problems: withTask(s.problems, { style: "direct", errorRate: 0 }) };
    const start = { student: freshStudent(s.student, 128), steps: s.baseSteps, learningRate };
    const arm = (samplesPerProblem: number, steps: readonly unknown[]) => [
      sftStage("base", answers, start),
      tracesStage("traces", s, {
        ...{ count: s.traceProblems, student: "stage:base", steps },
        sampler: { type: "oracle", samplesPerProblem },
      }),
      sftOnRows("sft", s, ["traces"], { student: fromStage("base"), steps: s.steps, learningRate }),
    ];
    const most = s.samples.at(-1) as number;
    // Of repeated draws most right ones are equal, and hardly any wrong ones: the filter comes first.
    const distinct = [{ type: "correct" }, { type: "dedupe" }];
    return {
      ...Object.fromEntries(s.samples.map((n) => [filtered(n), arm(n, [{ type: "correct" }])])),
      ...Object.fromEntries(s.samples.map((n) => [unfiltered(n), arm(n, [])])),
      likely: arm(most, [...distinct, { type: "learnability", best: s.chosen }]),
      diverse: arm(most, [...distinct, { type: "diversity", keep: s.chosen }]),
    };
  },
  baseline: ({ samples }) => filtered(samples[0] as number),
  comparisons: ({ samples: [least = 1, ...more] }) => [
    higher(metric, filtered(more.at(-1) as number)),
    higher(metric, unfiltered(more.at(-1) as number), unfiltered(least)),
    higher(metric, "diverse", "likely"),
  ],
  metrics: [metric, "longer.accuracy", "heldOut.loss"],
  fairness: {
    equal: "steps",
    note: "The same problems, and as many steps of as many rows in all arms; the teacher writes N times as much.",
  },
});
