import { z } from "zod";
import {
  additionSettings,
  countField,
  dpoStage,
  freshStudent,
  fromStage,
  higher,
  rateField,
  rowsOf,
  sftStage,
  shareField,
  stepsField,
  tracesStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** DPO on right and wrong traces, whoever of student and teacher wrote them. */
export const contrastableDpo = defineMethod({
  number: 16,
  name: "contrastable-dpo",
  title:
    "Enhancing Reasoning Skills in Small Persian Medical Language Models Can Outperform Large-Scale Data Training",
  paper: { citation: "Ghassabi et al. 2025", url: "https://arxiv.org/abs/2510.20059" },
  claim:
    "DPO on pairs of a right and a wrong trace, the right one of the student or of a teacher, beats SFT on the right ones, and training on many times as much text that nobody chose.",
  fidelity: "proxy",
  note: "Addition stands for medical questions in a second language, a short SFT for what the student knows of it, and solutions that are often wrong for text that nobody chose.",
  settings: z.strictObject({
    ...additionSettings(0),
    baseSteps: stepsField(400, "the SFT that every arm begins with"),
    baseRate: rateField(3e-3, "that SFT"),
    samples: z.int().min(2).default(4).describe("Traces of each problem by the student."),
    pairProblems: countField(500, "pairs are made of"),
    beta: z.number().positive().default(0.1).describe("[REC] β of DPO."),
    steps: stepsField(60, "DPO and of SFT on the right traces"),
    dpoRate: rateField(2e-5, "DPO"),
    learningRate: rateField(6e-4, "SFT"),
    textFactor: z
      .int()
      .min(1)
      .default(12)
      .describe("[REC] Times as many steps on text that nobody chose."),
    textErrors: shareField(0.5, "[REC] Share of that text with a mistake, of tasks."),
  }),
  paperSettings: {
    beta: { value: 0.1, source: "REC" },
    pairs: { value: "2M preferred and 2.5M rejected tokens", source: "ABS" },
    textFactor: { value: "about 57M tokens", source: "ABS", here: "12 times the steps" },
  },
  needs: ["solve", "completion"],
  arms(s) {
    const base = sftStage("base", s, {
      ...{ student: freshStudent(s.student, 128), steps: s.baseSteps, learningRate: s.baseRate },
    });
    const pairs = tracesStage("pairs", s, {
      ...{ count: s.pairProblems, student: "stage:base" },
      sampler: { type: "inject", samplesPerProblem: s.samples, most: 1, choose: "random" },
      pairs: { type: "contrastable" },
    });
    const start = { student: fromStage("base"), learningRate: s.learningRate };
    const data = withTask(s.problems, { errorRate: s.textErrors });
    const more = sftStage("text", s, { ...start, steps: s.steps * s.textFactor, data });
    const { steps, dpoRate: learningRate, beta } = s;
    const dpo = dpoStage(s, { from: "base", steps, learningRate, beta });
    const preferred = sftStage("sft", s, {
      ...{ ...start, steps: s.steps },
      data: { ...rowsOf("pairs"), fields: { prompt: "prompt", completion: "chosen" } },
    });
    return {
      "much text": [base, more],
      "SFT on right": [base, pairs, preferred],
      DPO: [base, pairs, dpo],
    };
  },
  baseline: "much text",
  comparisons: [higher(metric, "DPO"), higher(metric, "DPO", "SFT on right")],
  metrics: [metric, "longer.accuracy", "heldOut.loss"],
  fairness: {
    equal: "steps",
    note: "SFT and DPO take as many steps of as many problems; text that nobody chose gets many times as many, as in the claim.",
  },
});
