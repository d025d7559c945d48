import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  fromStage,
  higher,
  lower,
  type ReinforceFields,
  rewardStage,
  rowsOf,
  sftOnRows,
  sizeField,
  solvedStage,
  stepsField,
  type StudentSize,
  stylesField,
  tracesStage,
  warmSettings,
  warmStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";
const leak = "explanations.answerLeak";
const prefix = "§{answer}¤";

/** A teacher that is told the answer learns to explain it so that a student understands. */
export const rlt = defineMethod({
  number: 68,
  name: "rlt",
  title: "Reinforcement Learning Teachers of Test Time Scaling",
  paper: { citation: "Cetin, Zhao and Tang 2025", url: "https://arxiv.org/abs/2506.08388" },
  claim:
    "Explanations of a teacher that was rewarded for how well a frozen student understands them teach more than those of the same teacher before; without the reward for being natural to that student they give the answer away more often and teach less.",
  fidelity: "proxy",
  note: "The frozen student is the one that is taught after. The reference is the teacher of the start and does not follow it. The tags of the paper are an explanation that ends.",
  settings: z.strictObject({
    ...baseSettings({ problems: additionProblems(2), batchSize: 8, evaluateEvery: 0 }),
    ...warmSettings({ sftSteps: 600, steps: 60, learningRate: 5e-4 }),
    teacher: sizeField("S0", "teacher"),
    styles: stylesField(["scratchpad", "carries"], "[REC] Styles of the task that explain."),
    restating: stylesField(["direct"], "[REC] Styles that do no more than restate the answer."),
    traces: countField(3000, "are solved in every style before the rewards"),
    examples: countField(1000, "are explained to the student"),
    studentSteps: stepsField(200, "the student on explanations"),
    referenceWeight: z.number().min(0).default(0.04).describe("β of the KL to the reference."),
  }),
  paperSettings: {
    reward: { value: "c 1, 0.01; d 3, 0.03; temperature 0.7", source: "SRC", here: "the same" },
    samplesPerProblem: { value: "64; 1024 completions a step", source: "SRC" },
    steps: { value: 125, source: "SRC" },
    referenceWeight: { value: "0.04; reference follows every 32 steps by 0.9", source: "SRC" },
    sftSteps: { value: "10 epochs, batch 16, learning rate 1e-5", source: "SRC" },
  },
  needs: ["completion", "solve"],
  arms(s) {
    const tokenizer = { type: "character", characters: "§¤" } as const;
    const sampling = { samplingTemperature: 0.7 };
    const withAnswer = { type: "with-answer", ending: ":{answer}" };
    const told = { type: "with-prefix", prefix };
    const explained = { type: "explanation", separator: ":" };
    const common = { count: s.traces, tokenizer };
    const fresh = (size: StudentSize) => ({ student: freshStudent(size, 128), tokenizer });
    const pupil: Stage[] = [
      solvedStage("worked", s, s.styles, common),
      solvedStage("restated", s, s.restating, { ...common, steps: [withAnswer] }),
      warmStage(s, { ...fresh(s.student), data: rowsOf("worked", "restated") }),
    ];
    const warm: Stage[] = [
      solvedStage("told", s, s.styles, { ...common, steps: [explained, told] }),
      solvedStage("giveaway", s, s.restating, { ...common, steps: [told] }),
      warmStage(s, { ...fresh(s.teacher), data: rowsOf("told", "giveaway") }, "warm"),
    ];
    const rewarded = (weights: { klMean?: number; klMax?: number }): Stage => {
      const { samplesPerProblem, referenceWeight: weight } = s;
      const understood = { type: "likelihood", separator: ":", ...weights };
      const near = { type: "sampled-reverse-kl", against: "reference", weight };
      const trainer = {
        ...{ sampler: { type: "plain", samplesPerProblem, prefix }, sampling },
        rewards: [understood, { type: "format", pattern: ".", present: 0, missing: -1 }],
        ...{ loss: [{ type: "policy-gradient" }, near], reference: "initial" },
      } as ReinforceFields;
      const teacher = { type: "model", from: "stage:sft" } as const;
      const from = { student: fromStage("warm"), teacher, evaluation: { rows: 8 } };
      return { ...rewardStage(s, trainer, from), name: "teacher" };
    };
    const learning = { steps: s.studentSteps, learningRate: s.sftRate / 3 };
    const arm = (before: readonly Stage[], collect: object): Stage[] => [
      ...[...pupil, ...before],
      tracesStage("explanations", s, { start: s.traces, count: s.examples, ...collect }),
      sftOnRows("student", s, ["explanations"], { student: fromStage("sft"), ...learning }),
    ];
    const taught = (teacher: string, ...before: Stage[]) =>
      arm([...warm, ...before], {
        ...{ teacher: `stage:${teacher}`, sampling, steps: [withAnswer] },
        sampler: { type: "hinted", by: "teacher", template: `${prefix}{prompt}` },
      });
    return {
      base: pupil,
      "first teacher": taught("warm"),
      oracle: arm([], { tokenizer, sampler: { type: "oracle", styles: s.styles, use: "turn" } }),
      "RLT without r_KL": taught("teacher", rewarded({ klMean: 0, klMax: 0 })),
      RLT: taught("teacher", rewarded({})),
    };
  },
  baseline: "first teacher",
  comparisons: [
    ...[higher(metric, "RLT"), higher(metric, "RLT", "RLT without r_KL")],
    lower(leak, "RLT", "RLT without r_KL"),
  ],
  metrics: [metric, leak, "explanations.meanTokens", "heldOut.meanLength"],
  fairness: {
    equal: "steps",
    note: "The student takes as many steps of as many examples in every arm but the base. Those of RLT have the teacher's rollouts besides.",
  },
});
