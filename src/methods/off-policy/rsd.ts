import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionSettings,
  countField,
  freshStudent,
  fromStage,
  higher,
  keepField,
  madeOnce,
  rateField,
  sftOnRows,
  sftStage,
  shareField,
  sizeField,
  stepsField,
  teacherStage,
  tracesStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** Reverse speculative decoding: the teacher proposes tokens, the student vetoes improbable ones. */
export const rsd = defineMethod({
  number: 8,
  name: "rsd",
  title: "In Their Own Words: Reverse Speculative Decoding (RSD)",
  paper: { citation: "Kim et al. 2025", url: "https://arxiv.org/abs/2509.22230" },
  claim:
    "A student learns more from right traces that it wrote with a teacher, with a veto on tokens improbable to it, than from the teacher's own, from its own, and from those made so for another student.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...additionSettings(0),
    teacher: sizeField("S0w", "teacher"),
    teacherSteps: stepsField(1000, "the teacher, which is trained once for all seeds"),
    baseSteps: stepsField(500, "the SFT of a student in its own style"),
    sftRate: rateField(3e-3, "these"),
    teacherStyles: z
      .array(z.string())
      .default(["scratchpad", "carries"])
      .describe("[REC] Of the task: styles that the teacher has learned."),
    studentStyle: z.string().default("carries").describe("[REC] The style of the student."),
    otherStyle: z.string().default("scratchpad").describe("[REC] That of the other student."),
    threshold: shareField(0.01, "τ: least probability of a token under the student."),
    tries: z.int().min(1).default(5).describe("Tokens that the teacher proposes in a place."),
    topK: z.int().min(1).default(20).describe("Tokens of the student among which it must be."),
    keep: keepField,
    traceProblems: countField(500, "traces are made of"),
    steps: stepsField(300, "the SFT on traces"),
    learningRate: rateField(1e-3, "that SFT"),
  }),
  paperSettings: {
    threshold: { value: 0.01, source: "3P" },
    tries: { value: 5, source: "3P" },
    topK: { value: 20, source: "3P" },
    teacherSampling: { value: "T = 0.7, top-p 0.95, top-k 20", source: "3P", here: "the same" },
    keep: { value: "correct", source: "REC" },
    models: { value: "7B s1.1 and 0.6B", source: "3P" },
  },
  needs: ["completion"],
  arms(s) {
    const speaking = (style: unknown) => ({ ...s, problems: withTask(s.problems, { style }) });
    const own = speaking(s.studentStyle);
    const size = { size: s.teacher, steps: s.teacherSteps, learningRate: s.sftRate };
    const teacher = teacherStage("teacher", speaking(s.teacherStyles), size);
    const begin = (name: string, of: typeof s) =>
      sftStage(name, of, {
        ...{ student: freshStudent(s.student, 128), steps: s.baseSteps, learningRate: s.sftRate },
      });
    const base = begin("base", own);
    const sampling = { samplingTemperature: 0.7, topP: 0.95, topK: 20 };
    const { threshold, tries, topK } = s;
    const mixed = { type: "mixed", threshold, tries, topK, teacherSampling: sampling };
    const plain = (by: string) => ({ type: "plain", by, samplesPerProblem: 1 });
    const arm = (sampler: unknown, more: readonly Stage[] = [], student = "stage:base") => [
      ...[teacher, base, ...more],
      tracesStage("traces", own, {
        ...{ count: s.traceProblems, student, teacher: "stage:teacher", sampler, sampling },
        steps: [{ type: s.keep }],
      }),
      sftOnRows("sft", own, ["traces"], {
        ...{ student: fromStage("base"), steps: s.steps, learningRate: s.learningRate },
      }),
    ];
    const other = madeOnce(begin("other", speaking(s.otherStyle)));
    return {
      "of the teacher": arm(plain("teacher")),
      RSD: arm(mixed),
      "RSD for another": arm(mixed, [other], "stage:other"),
      "of the student": arm(plain("student")),
    };
  },
  baseline: "of the teacher",
  comparisons: [
    higher(metric, "RSD"),
    higher(metric, "RSD", "of the student"),
    higher(metric, "RSD", "RSD for another"),
  ],
  metrics: [metric, "longer.accuracy", "heldOut.meanLength"],
  fairness: {
    equal: "steps",
    note: "The same problems and steps of as many rows in all arms; of each problem one trace is written, and it is left out if its answer is wrong.",
  },
  smoke: { keep: "any" },
});
