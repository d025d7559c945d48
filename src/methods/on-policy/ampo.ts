import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  higher,
  isTask,
  lower,
  type ReinforceLoss,
  warmSettings,
  rewardStage,
  type Sampler,
  warmStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Adaptive multi-guidance policy optimization: teachers' traces only where every rollout fails. */
export const ampo = defineMethod({
  number: 51,
  name: "ampo",
  title:
    "More Than One Teacher: Adaptive Multi-Guidance Policy Optimization for Diverse Exploration",
  paper: { citation: "Yuan et al. 2025", url: "https://arxiv.org/abs/2510.02227" },
  claim:
    "Right traces of several teachers in place of failures, only where every rollout fails, make GRPO faster; those that the student comprehends are better than any, and to inject always costs diversity.",
  fidelity: "proxy",
  note: "The teachers are four styles of the task, for rows of files what the data gives. There is no punishment of repetition. Token losses are a mean over tokens.",
  settings: z.strictObject({
    ...baseSettings({
      ...{ problems: additionProblems(3, { minDigits: 1 }), batchSize: 16 },
      ...{ evaluationRows: 100, evaluateEvery: 20 },
    }),
    ...warmSettings(),
    styles: z
      .array(z.string())
      .min(1)
      .default(["scratchpad", "carries", "reversed", "direct"])
      .describe("Styles of the task, a teacher each."),
    most: z.int().min(1).default(2).describe("k: failures of a problem that are replaced."),
    shape: z.number().positive().default(0.1).describe("c of f(p) = p/(p + c)."),
    dualClip: z.number().gt(1).default(10).describe("Most that a ratio counts where A < 0."),
    entropy: z.number().min(0).default(0.001).describe("Weight of the student's entropy."),
  }),
  paperSettings: {
    samplesPerProblem: { value: 8, source: "SRC" },
    most: { value: 2, source: "SRC" },
    styles: { value: "4 teacher models", source: "SRC" },
    shape: { value: 0.1, source: "SRC" },
    clip: { value: 0.2, source: "SRC", here: "0.2" },
    dualClip: { value: 10, source: "SRC" },
    entropy: { value: 0.001, source: "SRC" },
    learningRate: { value: 1e-6, source: "SRC" },
    batchSize: { value: "128 problems, minibatches of 64", source: "SRC" },
    steps: { value: 510, source: "SRC" },
  },
  needs: ["completion"],
  arms(s) {
    // Marks of the styles that the SFT does not have.
    const characters = isTask(s.problems) ? "~,:" : "";
    const sft = warmStage(s, { tokenizer: { type: "character", characters } });
    const { samplesPerProblem, most, shape, dualClip, entropy: weight } = s;
    const bonus: ReinforceLoss = weight === 0 ? [] : [{ type: "negative-entropy", weight }];
    const arm = (sampler: Sampler, injected: ReinforceLoss = []): Stage[] => [
      sft,
      rewardStage(
        s,
        {
          sampler,
          advantage: { divideByStd: false, injectedAtLeast: 1 },
          loss: [{ type: "policy-gradient", dualClip }, ...bonus, ...injected],
        },
        { evaluation: { samplesPerPrompt: samplesPerProblem } },
      ),
    ];
    const teachers = isTask(s.problems)
      ? ({ from: "oracle", styles: s.styles, traces: s.styles.length } as const)
      : ({ from: "given" } as const);
    const inject = (
      when: "none-right" | "any-wrong",
      choose: "random" | "comprehension",
    ): Stage[] =>
      arm({ type: "inject", samplesPerProblem, most, ...teachers, when, choose }, [
        { type: "guided-policy-gradient", shape },
      ]);
    return {
      GRPO: arm({ type: "plain", samplesPerProblem }),
      "always inject": inject("any-wrong", "random"),
      "AMPO, random": inject("none-right", "random"),
      AMPO: inject("none-right", "comprehension"),
    };
  },
  baseline: "GRPO",
  derived: { area: { type: "area-under-curve", metric: "heldOut.accuracy" } },
  comparisons: (s) => [
    higher("area", "AMPO"),
    higher("heldOut.accuracy", "AMPO", "AMPO, random"),
    lower(`heldOut.passAt${s.samplesPerProblem}`, "always inject", "AMPO"),
  ],
  metrics: (s) => [
    "heldOut.accuracy",
    "area",
    "heldOut.passAt1",
    `heldOut.passAt${s.samplesPerProblem}`,
  ],
  fairness: {
    equal: "rollouts",
    note: "All arms begin with the same SFT and take as many steps of as many completions; those that are replaced had been sampled too. Injected traces cost the teachers' tokens besides.",
  },
});
