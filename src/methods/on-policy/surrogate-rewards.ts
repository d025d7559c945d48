import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  freshStudent,
  higher,
  type ReinforceTrainer,
  rewardStage,
  stepsField,
  warmSettings,
  warmStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

// Greedy completions are of the wanted form from the start: habits show in samples.
const metric = "heldOut.passAt1";
type Rewards = Pick<ReinforceTrainer, "rewards"> & Partial<ReinforceTrainer>;

/** GRPO without right answers: the form of an answer and its length are rewarded. */
export const surrogateRewards = defineMethod({
  number: 62,
  name: "surrogate-rewards",
  title: "Surrogate Signals from Format and Length: RL without Ground Truth Answers",
  paper: { citation: "Xin et al. 2025", url: "https://arxiv.org/abs/2505.19439" },
  claim:
    "Where a student has the skill and bad habits, rewards of form and length make it better without right answers, by most of what right answers would; where it lacks the skill only right answers do.",
  fidelity: "proxy",
  note: "The bad habit is to answer without working, which half of the base's traces do: form is working, a colon and the answer. One score of form stands for the mean of the paper's two. There is no arm with random rewards, as no reward is random.",
  settings: z.strictObject({
    ...baseSettings({
      ...{ problems: additionProblems(2, { style: ["carries", "direct"] }) },
      ...{ batchSize: 16, evaluateEvery: 20 },
    }),
    ...warmSettings({ sftSteps: 500, learningRate: 1e-4 }),
    unskilledSteps: stepsField(100, "the SFT of the base without the skill [REC]"),
    form: z
      .string()
      .default(",\\d+:\\d+")
      .describe("[REC] Regular expression with which a completion of the wanted form ends."),
    longest: z
      .int()
      .min(2)
      .default(20)
      .describe("Most tokens of a completion; the reward of length is highest at `target` of it."),
    target: z.number().gt(0).lt(1).default(0.5).describe("p: share of them that is best."),
    recovered: z
      .number()
      .default(0.5)
      .describe("[REC] Least share of the gain of right answers that counts as most of it."),
  }),
  paperSettings: {
    target: { value: 0.5, source: "SRC" },
    recovered: { value: "close to 1", source: "ABS" },
    longest: { value: 3072, source: "SRC" },
    steps: { value: "most of the gain in the first 15", source: "SRC" },
    format: { value: "0.5 (soft format + answer box)", source: "SRC", here: "one score, weight 1" },
  },
  needs: ["completion"],
  arms(s) {
    // Room for completions that are longer than those of the data.
    const student = freshStudent(s.student, 64);
    const evaluation = { samplesPerPrompt: 4 };
    const skilled = warmStage(s, { student, evaluation });
    const unskilled = warmStage({ ...s, sftSteps: s.unskilledSteps }, { student, evaluation });
    const { samplesPerProblem, longest: maxNewTokens, form: pattern } = s;
    const arm = (base: Stage, rewards: Rewards): Stage[] => [
      base,
      rewardStage(
        s,
        { sampler: { type: "plain", samplesPerProblem }, maxNewTokens, ...rewards },
        { evaluation },
      ),
    ];
    const right: Rewards = { rewards: [{ type: "exact" }] };
    const form: Rewards = { rewards: [{ type: "format", pattern }] };
    const both: Rewards = {
      rewards: [
        { type: "format", pattern },
        { type: "length", shape: "peak", target: s.target, longest: s.longest },
      ],
      combine: "gate",
    };
    return {
      base: [skilled],
      "right answers": arm(skilled, right),
      form: arm(skilled, form),
      "form and length": arm(skilled, both),
      "no skill": [unskilled],
      "no skill, right answers": arm(unskilled, right),
      "no skill, form and length": arm(unskilled, both),
    };
  },
  baseline: "base",
  derived: {
    "gap recovered": {
      ...{ type: "gap-recovered", metric },
      ...{ arm: "form and length", low: "base", high: "right answers" },
    },
  },
  comparisons: ({ recovered }) => [
    higher(metric, "form"),
    higher(metric, "form and length"),
    { derived: "gap recovered", direction: "higher", margin: recovered },
    higher(metric, "no skill, right answers", "no skill, form and length"),
  ],
  metrics: [metric, "heldOut.accuracy", "heldOut.tokensPerAnswer", "heldOut.endRate"],
  fairness: {
    equal: "rollouts",
    note: "Arms of a base begin with the same SFT and take as many optimizer steps of as many rollouts; the bases themselves take none.",
  },
  // Else the two bases would be the same.
  smoke: { unskilledSteps: 1 },
});
