import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  higher,
  type ReinforceLoss,
  warmSettings,
  rewardStage,
  type Sampler,
  trainStage,
  collectStage,
  freshStudent,
  fromStage,
  warmStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Rollouts that failed are continued by a teacher's reaction and a corrected solution. */
export const thinktuning = defineMethod({
  number: 57,
  name: "thinktuning",
  title: "ThinkTuning: Instilling Cognitive Reflections without Distillation",
  paper: { citation: "RRV et al., EMNLP 2025", url: "https://arxiv.org/abs/2508.07616" },
  claim:
    "GRPO in which some failed rollouts are continued with feedback and a corrected solution is at least as good as GRPO, and better where the continued tokens are shaped by how likely the student finds them than where they are imitated.",
  fidelity: "proxy",
  note: "The teacher's reaction is a mark and the task's own solution from the first wrong step on. The paper's shaping was not available: −A·f(p), f(p) = p/(p + c), for tokens with a positive advantage [REC]. The unshaped arm is cross-entropy on them.",
  settings: z.strictObject({
    ...baseSettings({
      ...{ problems: additionProblems(3, { minDigits: 1 }), batchSize: 16 },
      ...{ evaluationRows: 100, evaluateEvery: 20 },
    }),
    ...warmSettings(),
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.25)
      .describe("[REC] γ: share of a problem's rollouts that are continued."),
    shape: z.number().positive().default(0.1).describe("[REC] c of f(p) = p/(p + c)."),
    naiveWeight: z
      .number()
      .positive()
      .default(0.1)
      .describe("[REC] Weight of cross-entropy in the arm without shaping."),
    feedback: z
      .string()
      .min(1)
      .default("?")
      .describe("[REC] What the teacher says first; the answers have none of its characters."),
    guidedProblems: z
      .int()
      .min(1)
      .default(400)
      .describe("Problems whose continued rollouts the arm of SFT learns."),
  }),
  paperSettings: {
    share: { value: "γ", source: "3P" },
    shape: { value: "advantage-aware shaping", source: "3P" },
    reference: { value: "no KL to the teacher", source: "3P", here: "none" },
    feedback: { value: "opinion, reason and a cognitive phrase", source: "ABS" },
  },
  needs: ["completion", "checkSteps", "continueFrom"],
  arms(s) {
    const sft = warmStage(s, {
      // Room for a mistake, what is said of it, and the solution.
      student: freshStudent(s.student, 128),
      tokenizer: { type: "character", characters: s.feedback },
    });
    const { samplesPerProblem, share, feedback, shape } = s;
    const guided = {
      ...({ type: "guided-continue", after: "error" } as const),
      ...{ samplesPerProblem, share, feedback },
    };
    const arm = (sampler: Sampler, more: ReinforceLoss = []): Stage[] => [
      sft,
      rewardStage(s, {
        sampler,
        loss: [{ type: "policy-gradient" }, ...more],
      }),
    ];
    return {
      GRPO: arm({ type: "plain", samplesPerProblem }),
      "SFT on continued": [
        sft,
        collectStage("continued", {
          ...{ problems: s.problems, count: s.guidedProblems, student: "stage:sft" },
          sampler: guided,
          steps: [{ type: "finished" }],
        }),
        trainStage("more", s, {
          student: fromStage("sft"),
          data: { type: "file", path: "stage:continued" },
          trainer: { type: "sft", steps: s.steps, learningRate: s.learningRate },
        }),
      ],
      "continued, imitated": arm(guided, [{ type: "cross-entropy", weight: s.naiveWeight }]),
      "continued, shaped": arm(guided, [
        { type: "guided-policy-gradient", shape, onlyPositive: true },
      ]),
    };
  },
  baseline: "GRPO",
  comparisons: [
    higher("heldOut.accuracy", "continued, shaped"),
    higher("heldOut.accuracy", "continued, shaped", "continued, imitated"),
  ],
  metrics: ["heldOut.accuracy", "heldOut.passAt1", "heldOut.passAt4", "heldOut.tokensPerAnswer"],
  fairness: {
    equal: "rollouts",
    note: "All arms begin with the same SFT and take as many steps; those of rewards have as many rollouts. Continued ones are longer by what the teacher wrote.",
  },
});
