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
  stepsField,
  tracesStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** Four teachers whose traces are all right, and differ in how long they are. */
export const distillationSource = defineMethod({
  number: 46,
  name: "distillation-source",
  title: "Not All Correct Answers Are Equal: Why Your Distillation Source Matters",
  paper: { citation: "Tian et al. 2025", url: "https://arxiv.org/abs/2505.14464" },
  claim:
    "Of teachers whose traces are all right, the one whose lengths adapt to the difficulty makes the best student, better than long, short or random ones.",
  fidelity: "faithful",
  note: "The teachers are policies of the task's solver for the length of a trace. collect.json of each stage of traces has the entropy of their lengths.",
  settings: z.strictObject({
    ...additionSettings(0),
    styles: z
      .tuple([z.string(), z.string(), z.string()])
      .default(["scratchpad", "carries", "direct"])
      .describe("[REC] Of the task, from the longest to the shortest."),
    attempts: z
      .int()
      .min(1)
      .default(8)
      .describe("[REC] Attempts at each problem by the student, which tell how hard it is."),
    baseSteps: stepsField(300, "the SFT in all styles that every arm begins with"),
    baseRate: rateField(3e-3, "that SFT"),
    traceProblems: countField(600, "each teacher solves"),
    steps: stepsField(400, "every arm after it"),
    learningRate: rateField(1e-3, "every arm after it"),
  }),
  paperSettings: {
    teachers: { value: "3 large models", source: "ABS", here: "4 policies of a solver" },
    questions: { value: 1_890_000, source: "ABS" },
  },
  needs: ["solve", "completion"],
  arms(s) {
    const [long, short, shortest] = s.styles;
    const base = sftStage("base", s, {
      ...{ student: freshStudent(s.student, 128), steps: s.baseSteps, learningRate: s.baseRate },
      data: withTask(s.problems, { style: s.styles }),
    });
    const arm = (sampler: unknown, steps: readonly unknown[] = [{ type: "correct" }]) => [
      base,
      tracesStage("traces", s, {
        ...{ count: s.traceProblems, student: "stage:base", sampler, steps },
      }),
      sftOnRows("sft", s, ["traces"], {
        ...{ student: fromStage("base"), steps: s.steps, learningRate: s.learningRate },
      }),
    ];
    const oracle = (style: unknown) => arm({ type: "oracle", styles: [{ style, errorRate: 0 }] });
    const grades = [
      { below: 1 / 3, solve: { style: shortest } },
      { below: 2 / 3, solve: { style: short } },
      { below: 1, solve: { style: long } },
    ];
    return {
      long: oracle(long),
      short: oracle(short),
      random: oracle(s.styles),
      adaptive: arm({ type: "plain", samplesPerProblem: s.attempts }, [
        { type: "difficulty-rewrite", grades },
      ]),
    };
  },
  baseline: "long",
  comparisons: [
    higher(metric, "adaptive"),
    higher(metric, "adaptive", "short"),
    higher(metric, "adaptive", "random"),
  ],
  metrics: [metric, "heldOut.meanLength", "longer.accuracy"],
  fairness: {
    equal: "steps",
    note: "The same problems, a right trace of each, and as many steps of as many rows in all arms.",
  },
});
