import { z } from "zod";
import {
  baseSettings,
  countField,
  freshStudent,
  fromStage,
  higher,
  keepField,
  lower,
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

/** The student's own long traces, pruned skill by skill. */
export const drp = defineMethod({
  number: 7,
  name: "drp",
  title: "DRP: Distilled Reasoning Pruning with Skill-aware Step Decomposition",
  paper: { citation: "Jiang, Li and Ferraro 2025", url: "https://arxiv.org/abs/2505.13975" },
  claim:
    "A student that learns its own traces, pruned of superfluous steps, writes much shorter ones than before and is right more often than one that learns a teacher's shortest traces.",
  fidelity: "faithful",
  note: "Steps are labelled and pruned by rules in place of a model's judgement; all weights are trained, not a LoRA.",
  settings: z.strictObject({
    ...baseSettings({
      problems: {
        type: "task",
        task: {
          ...{ type: "chain", minHops: 1, maxHops: 2, modulus: 10, distractors: 0 },
          ...{ wording: "symbols", order: "forward", style: "compact" },
        },
      },
      batchSize: 32,
      evaluateEvery: 0,
    }),
    verbosity: shareField(0.6, "[REC] Share of steps at which verbose traces talk."),
    shortest: z.string().default("terse").describe("[REC] Style of the teacher's shortest traces."),
    baseSteps: stepsField(1500, "the SFT on verbose traces that every arm begins with"),
    baseRate: rateField(3e-3, "that SFT"),
    keep: keepField,
    traceProblems: countField(600, "the student writes traces of"),
    steps: stepsField(300, "every arm after it"),
    learningRate: rateField(1e-3, "every arm after it"),
  }),
  paperSettings: {
    learningRate: { value: 3e-5, source: "SRC" },
    steps: { value: "3 epochs", source: "SRC" },
    batchSize: { value: "2 × 4", source: "SRC" },
    adapter: { value: "LoRA on all linear layers", source: "SRC", here: "none" },
    pruning: { value: "a teacher at temperature 0", source: "SRC", here: "rules" },
  },
  needs: ["solve", "completion"],
  arms(s) {
    const verbose = { ...s, problems: withTask(s.problems, { verbosity: s.verbosity }) };
    const student = freshStudent(s.student, 192);
    const base = sftStage("base", verbose, {
      ...{ student, steps: s.baseSteps, learningRate: s.baseRate },
    });
    const arm = (sampler: unknown, steps: readonly unknown[]) => [
      base,
      tracesStage("traces", verbose, {
        ...{ count: s.traceProblems, student: "stage:base", sampler, steps },
      }),
      sftOnRows("sft", verbose, ["traces"], {
        ...{ student: fromStage("base"), steps: s.steps, learningRate: s.learningRate },
      }),
    ];
    const own = { type: "plain", samplesPerProblem: 1 };
    const shortest = { type: "oracle", styles: [{ style: s.shortest, verbosity: 0 }] };
    return {
      verbose: arm(own, [{ type: s.keep }]),
      "shortest of the teacher": arm(shortest, [{ type: "correct" }]),
      DRP: arm(own, [{ type: "skill-prune" }, { type: s.keep }]),
    };
  },
  baseline: "verbose",
  comparisons: [
    lower("heldOut.meanLength", "DRP"),
    higher(metric, "DRP", "shortest of the teacher"),
  ],
  metrics: [metric, "heldOut.meanLength", "longer.accuracy"],
  fairness: {
    equal: "steps",
    note: "All arms begin with the same student and take as many steps of as many rows of the same problems; the student's wrong traces are left out.",
  },
  smoke: { keep: "any" },
});
