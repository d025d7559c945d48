import { z } from "zod";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  higher,
  rateField,
  sftOnRows,
  stepsField,
  tracesStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";
const armOf = (samples: number) => `D = ${samples}`;

/** Diverse reasoning: several rationales of every problem, those with a right answer learned. */
export const fineTuneCot = defineMethod({
  number: 28,
  name: "fine-tune-cot",
  title: "Large Language Models Are Reasoning Teachers (Fine-tune-CoT)",
  paper: { citation: "Ho, Schmid and Yun, ACL 2023", url: "https://arxiv.org/abs/2212.10071" },
  claim:
    "Of the same problems, at equal steps, a student that learns D rationales each with a right answer is right more often the larger D is.",
  fidelity: "faithful",
  note: "The teacher is the task's solver with mistakes; its rationales of one problem differ in style and in being right.",
  settings: z.strictObject({
    ...baseSettings({
      problems: additionProblems(2, {
        ...{ minDigits: 1, errorRate: 0.2 },
        style: ["scratchpad", "carries", "reversed"],
      }),
      batchSize: 32,
      evaluateEvery: 300,
    }),
    samples: z
      .array(z.int().min(1))
      .min(2)
      .default([1, 4, 16])
      .describe("D from the least to the most: rationales of each problem, an arm each."),
    traceProblems: countField(300, "the teacher solves"),
    steps: stepsField(1200, "every arm"),
    learningRate: rateField(3e-3, "every arm"),
  }),
  paperSettings: {
    samples: { value: "powers of two up to 64", source: "SRC" },
    samplingTemperature: { value: 0.7, source: "SRC", here: "styles at random" },
    delimiter: { value: "-->", source: "SRC", here: "the task's own" },
  },
  needs: ["solve"],
  arms(s) {
    const student = freshStudent(s.student);
    const arm = (samplesPerProblem: number) => [
      tracesStage("traces", s, {
        count: s.traceProblems,
        sampler: { type: "oracle", samplesPerProblem },
        steps: [{ type: "correct" }],
      }),
      sftOnRows("sft", s, ["traces"], { student, steps: s.steps, learningRate: s.learningRate }),
    ];
    return Object.fromEntries(s.samples.map((samples) => [armOf(samples), arm(samples)]));
  },
  baseline: ({ samples }) => armOf(samples[0] as number),
  comparisons: ({ samples }) => [
    higher(metric, armOf(samples.at(-1) as number)),
    ...samples
      .slice(2)
      .map((more, i) => higher(metric, armOf(more), armOf(samples[i + 1] as number))),
  ],
  metrics: [metric, "heldOut.loss", "longer.accuracy"],
  fairness: {
    equal: "steps",
    note: "The same problems, and as many steps of as many rows in all arms; the teacher writes D times as much.",
  },
});
