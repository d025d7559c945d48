import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  baseSettings,
  fromStage,
  higher,
  type ReinforceTrainer,
  warmSettings,
  rewardStage,
  sftOnRows,
  sftStage,
  stepsField,
  tracesStage,
  warmStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const problems = {
  type: "task",
  task: { type: "tool", minHops: 2, maxHops: 2, modulus: 10 },
} as const;

/** Agents that are corrected at their first error, then rewarded from just before one. */
export const score = defineMethod({
  number: 54,
  name: "score",
  title:
    "From Correction to Mastery: Reinforced Distillation of Large Language Model Agents (SCoRe)",
  paper: { citation: "Lyu et al. 2025", url: "https://arxiv.org/abs/2509.14257" },
  claim:
    "An agent learns more from its own episodes, corrected at their errors, than from its teacher's; rewards from just before an error add more than rewards from the start, and a reward for that step adds to this.",
  fidelity: "proxy",
  note: "The teacher is the task. Rewards begin just before a mistake that the task made in one of its own episodes, not the student's.",
  settings: z.strictObject({
    ...baseSettings({ problems, batchSize: 8, evaluationRows: 100, evaluateEvery: 0 }),
    ...warmSettings({ sftSteps: 1200, steps: 60 }),
    correctedProblems: z.int().min(1).default(800).describe("Problems of which the student tries."),
    corrections: z.int().min(1).default(5).describe("Corrections of an episode, at most."),
    correctionSteps: stepsField(200, "the SFT on corrected or on the teacher's episodes"),
  }),
  paperSettings: {
    correctedProblems: {
      value: "80 % of the data; 20 % for the first SFT",
      source: "3P",
    },
    corrections: { value: 5, source: "3P" },
    keyStep: {
      value: "1, 0.5, 0.1 and 0",
      source: "3P",
      here: "1, 0.5, 0.1 and 0",
    },
    split: {
      value: "half of the corrected for SFT, half for RL",
      source: "3P",
      here: "all for SFT",
    },
    actions: { value: "at most 8", source: "3P" },
  },
  needs: ["completion", "solve", "checkSteps", "continueFrom", "respond"],
  arms(s) {
    const sft = warmStage(s);
    const more = {
      student: fromStage("sft"),
      steps: s.correctionSteps,
      learningRate: s.sftRate / 3,
    };
    const taught = sftStage("taught", { ...s, batchSize: s.sftBatchSize }, more);
    const corrected = [
      sft,
      tracesStage("episodes", s, {
        ...{ count: s.correctedProblems, student: "stage:sft" },
        sampler: { type: "takeover", scope: "step", corrections: s.corrections },
        steps: [{ type: "finished" }],
      }),
      sftOnRows("corrected", { ...s, batchSize: s.sftBatchSize }, ["episodes"], more),
    ];
    const student = fromStage("corrected");
    const { samplesPerProblem } = s;
    const fromStart: Stage[] = [
      ...corrected,
      rewardStage(s, { sampler: { type: "tool-loop", samplesPerProblem } }, { student }),
    ];
    const fromError = (rewards: ReinforceTrainer["rewards"]): Stage[] => [
      ...corrected,
      rewardStage(
        s,
        { sampler: { type: "from-prefix", start: "before-error", samplesPerProblem }, rewards },
        { student, data: withTask(s.problems, { errorRate: 1 }) },
      ),
    ];
    return {
      "teacher's episodes": [sft, taught],
      corrected,
      "corrected, GRPO": fromStart,
      "corrected, short horizon": fromError([{ type: "exact" }]),
      "corrected, key step": fromError([{ type: "key-step" }]),
    };
  },
  baseline: "teacher's episodes",
  comparisons: [
    higher("heldOut.accuracy", "corrected"),
    higher("heldOut.accuracy", "corrected, short horizon", "corrected, GRPO"),
    higher("heldOut.accuracy", "corrected, key step", "corrected, short horizon"),
  ],
  metrics: ["heldOut.accuracy", "heldOut.loss"],
  fairness: {
    equal: "steps",
    note: "All arms begin with the same SFT, and both kinds of episodes are learned for as many steps. The arms of rewards have as many rollouts besides; those from before an error are shorter.",
  },
});
