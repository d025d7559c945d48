import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import {
  baseSettings,
  additionProblems,
  collectStage,
  freshStudent,
  fromStage,
  higher,
  isTask,
  lower,
  rateField,
  sftStage,
  stepsField,
  trainStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

type PairsLoss = Extract<StageRun["trainer"], { type: "pairs" }>["loss"];

const share = (fallback: number, text = "") =>
  z.number().min(0).max(1).default(fallback).describe(text);

/** Reinforcement distillation: right traces up, wrong traces down by less. */
export const redi = defineMethod({
  number: 43,
  name: "redi",
  title: "Harnessing Negative Signals: Reinforcement Distillation (REDI)",
  paper: { citation: "Xu et al., ACL 2026", url: "https://arxiv.org/abs/2505.24850" },
  claim:
    "After SFT, a length-normalised loss on right and wrong traces with the wrong ones weighted 0.5 to 0.8 beats more SFT, DPO and SimPO; weight 1 at the same learning rate degrades.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...baseSettings({ problems: additionProblems(3) }),
    alpha: share(0.8, "Weight of the wrong traces that the claim is about."),
    others: z
      .array(z.number().min(0).max(1))
      .default([0.2, 0.5, 1])
      .describe("Other weights, an arm each."),
    sftSteps: stepsField(630, "the first stage"),
    sftRate: rateField(3e-3, "the first stage"),
    steps: stepsField(150, "the second stage, in every arm"),
    learningRate: rateField(6e-5, "the second stage of REDI and of more SFT"),
    dpoRate: rateField(1.2e-5, "the second stage of DPO"),
    dpoBeta: z.number().positive().default(0.1).describe("β of DPO."),
    simpoRate: rateField(3e-5, "the second stage of SimPO"),
    pairProblems: z.int().min(1).default(400).describe("Of own data: problems to draw pairs from."),
  }),
  paperSettings: {
    alpha: { value: 0.8, source: "SRC" },
    sftRate: { value: 5e-5, source: "SRC" },
    learningRate: { value: 1e-6, source: "SRC" },
    dpoRate: { value: 2e-7, source: "SRC" },
    dpoBeta: { value: 0.001, source: "SRC" },
    simpoRate: { value: 5e-7, source: "SRC" },
    simpo: { value: "β = 2, γ = 1", source: "SRC", here: "β = 2, γ = 1" },
    sftSteps: { value: "3 or 5 epochs of 78k, batch 128", source: "SRC" },
    steps: { value: "1 epoch of 53k pairs, batch 32", source: "SRC" },
  },
  needs: ["completion"],
  arms(s) {
    const student = freshStudent(s.student);
    const start = sftStage("sft", s, { student, steps: s.sftSteps, learningRate: s.sftRate });
    // A task makes right and wrong traces by rule; of rows the student writes both, and where it finds no
    // right one the row's own stands for it.
    const pairs = collectStage("pairs", {
      ...{ problems: s.problems, count: s.pairProblems, student: "stage:sft" },
      sampler: { type: "inject", from: "given", samplesPerProblem: 4, most: 1, choose: "random" },
      pairs: { type: "contrastable" },
    });
    const own = isTask(s.problems)
      ? { before: [start], data: s.problems }
      : { before: [start, pairs], data: { type: "pairs", path: "stage:pairs" } as const };
    const second = (loss: PairsLoss, learningRate: number, reference = false): Stage[] => [
      ...own.before,
      trainStage("second", s, {
        student: fromStage("sft"),
        data: own.data,
        ...(reference ? { teacher: { type: "model", from: "stage:sft" } } : {}),
        trainer: { type: "pairs", steps: s.steps, learningRate, warmupSteps: 10, loss },
      }),
    ];
    const more = { student: fromStage("sft"), steps: s.steps, learningRate: s.learningRate };
    return {
      "more SFT": [start, sftStage("second", s, more)],
      DPO: second([{ type: "dpo", beta: s.dpoBeta }], s.dpoRate, true),
      SimPO: second([{ type: "simpo", beta: 2, gamma: 1 }], s.simpoRate),
      ...Object.fromEntries(
        [...new Set([s.alpha, ...s.others])]
          .sort()
          .map((alpha) => [
            `REDI ${alpha}`,
            second([{ type: "redi", negativeWeight: alpha }], s.learningRate),
          ]),
      ),
    };
  },
  baseline: "more SFT",
  comparisons: ({ alpha, others }) => [
    higher("heldOut.accuracy", `REDI ${alpha}`),
    higher("heldOut.accuracy", `REDI ${alpha}`, "DPO"),
    higher("heldOut.accuracy", `REDI ${alpha}`, "SimPO"),
    ...(others.includes(1) && alpha !== 1
      ? [lower("heldOut.accuracy", "REDI 1", `REDI ${alpha}`)]
      : []),
  ],
  metrics: [
    ...["heldOut.accuracy", "heldOut.positiveLogProb", "heldOut.negativeLogProb"],
    ...["heldOut.pairAccuracy", "heldOut.meanLength"],
  ],
  fairness: {
    equal: "steps",
    note: "The rates of the second stages stand to that of the first as in the paper. All arms begin with the same SFT and take as many steps of as many rows; a step on pairs sees a right and a wrong trace of each problem, a step of SFT the right one.",
  },
});
