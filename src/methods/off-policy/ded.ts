import { z } from "zod";
import {
  additionSettings,
  chooseSolver,
  corpusStages,
  countField,
  freshStudent,
  fromStage,
  higher,
  orderOf,
  rateField,
  sampleStages,
  sftOnRows,
  sftStage,
  shareField,
  smokeSettings,
  smokeStages,
  solversField,
  stepsField,
  stylesField,
  tracesStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";
const whole = "all of";
const count = (fallback: number, text: string) => z.int().min(1).default(fallback).describe(text);

/** A teacher by what small students learn from it, then hard problems, then dissimilar solutions. */
export const ded = defineMethod({
  number: 18,
  name: "ded",
  title: "Beyond Scaling Law: A Data-Efficient Distillation Framework for Reasoning (DED)",
  paper: { citation: "Wu et al. 2025", url: "https://arxiv.org/abs/2508.09883" },
  claim:
    "With few examples, the teacher that a smoke test chooses makes a better student than the one that is right most often; hard problems only, and then dissimilar solutions of them, add to it.",
  fidelity: "faithful",
  note: 'The teachers are the task\'s solver in several styles, right to different degrees. A smoke test is scored on training problems behind those that corpora are chosen from, not on those that arms are compared by. "all of" a teacher is the run that its smoke test stands for: how far the two put teachers in one order is a measure of several arms.',
  settings: z.strictObject({
    ...additionSettings(0),
    teachers: solversField(
      {
        terse: { styles: ["direct", "reversed"], errorRate: 0 },
        wordy: { styles: ["scratchpad", "carries"], errorRate: 0.1 },
        brief: { styles: ["carries", "direct"], errorRate: 0.2 },
        uneven: { styles: ["scratchpad", "direct"], errorRate: 0.3 },
      },
      "[REC] Of two styles each: with one, right solutions are all the same.",
    ),
    baseStyles: stylesField(["scratchpad", "carries", "direct"], "[REC] Of the first SFT."),
    baseSteps: stepsField(400, "the first SFT"),
    baseRate: rateField(3e-3, "the first SFT"),
    pool: countField(2000, "corpora are chosen from"),
    budget: count(800, "[REC] Rows of a corpus, at most."),
    ...smokeSettings(),
    attempts: count(4, "[REC] Attempts of the base student at each problem."),
    hardest: shareField(0.25, "[REC] Greatest share of right attempts at a hard problem."),
    samples: count(6, "[REC] Solutions that dissimilar ones are chosen from, of each problem."),
    dissimilar: count(2, "[REC] Dissimilar solutions of each problem."),
    steps: stepsField(400, "every arm after the base"),
    learningRate: rateField(2e-3, "every arm after the base, and of smoke tests"),
  }),
  paperSettings: {
    budget: { value: "0.8k", source: "ABS" },
    pool: { value: "5 times the corpus (20 % are kept)", source: "3P" },
    diversity: { value: "edit distance", source: "3P", here: "by the longer one's length" },
  },
  needs: ["solve", "completion"],
  arms(s) {
    const then = { student: fromStage("base"), learningRate: s.learningRate };
    const base = sftStage("base", s, {
      ...{ student: freshStudent(s.student, 128), steps: s.baseSteps, learningRate: s.baseRate },
      data: withTask(s.problems, { style: s.baseStyles }),
    });
    const attempts = tracesStage("attempts", s, {
      ...{ count: s.pool, student: "stage:base" },
      sampler: { type: "plain", samplesPerProblem: s.attempts },
    });
    const teachers = Object.keys(s.teachers);
    const before = {
      sample: sampleStages(s, s.teachers),
      smoke: smokeStages(s, s.teachers, { ...then, trialStart: s.pool }),
    };
    const corpora = (more: object[] = [], samples = 1) =>
      corpusStages(s, s.teachers, { count: s.pool, limit: s.budget, samples, steps: more });
    const sft = (rows: string) => sftOnRows("sft", s, [rows], { ...then, steps: s.steps });
    const arm = (score: keyof typeof before, by: string, more: object[] = [], each = 1) => [
      ...[base, ...before[score], ...(more.length > 0 ? [attempts] : []), ...corpora(more, each)],
      ...[chooseSolver("chosen", s.teachers, { metric: by, take: "corpus", score }), sft("chosen")],
    ];
    const hard = { type: "solve-rate", of: "given", maximum: s.hardest };
    return {
      "by accuracy": arm("sample", "rightShare"),
      "by smoke test": arm("smoke", metric),
      hard: arm("smoke", metric, [hard]),
      diverse: arm("smoke", metric, [hard, { type: "diversity", keep: s.dissimilar }], s.samples),
      ...Object.fromEntries(
        corpora().map((all, i) => [`${whole} ${teachers[i]}`, [base, all, sft(all.name)]]),
      ),
    };
  },
  baseline: "by accuracy",
  comparisons: [
    higher(metric, "by smoke test"),
    higher(metric, "hard", "by smoke test"),
    higher(metric, "diverse", "hard"),
  ],
  derived: ({ teachers }) => ({
    "order of smoke tests": orderOf(teachers, "by smoke test", whole, metric),
    "order of accuracies": orderOf(teachers, "by accuracy", whole, metric),
  }),
  metrics: [metric, "heldOut.meanLength"],
  fairness: {
    equal: "steps",
    note: "As many steps of as many rows in all arms, from corpora of at most the same number of right rows; what choosing cost is counted.",
  },
});
