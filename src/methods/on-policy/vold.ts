import { z } from "zod";
import {
  additionSettings,
  freshStudent,
  higher,
  reinforceArm,
  type ReinforceFields,
  reinforceSettings,
  reinforceStage,
  teacherStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Rewards, and the pull of a teacher where the student failed, after a cold start. */
export const vold = defineMethod({
  number: 2,
  name: "vold",
  title: "VOLD: Reasoning Transfer from LLMs to VLMs via On-Policy Distillation (text part)",
  paper: { citation: "Bousselham et al. 2025", url: "https://arxiv.org/abs/2510.23497" },
  claim:
    "After a cold start by SFT, GRPO with a reverse KL to the teacher on failing rollouts beats GRPO; without the cold start the teacher's term gives nothing.",
  fidelity: "proxy",
  note: "Text alone: student and teacher read the same prompt.",
  settings: z.strictObject({
    ...additionSettings(50),
    ...reinforceSettings(),
    beta: z.number().positive().default(0.1).describe("β of the k2 estimator on failing rows."),
  }),
  paperSettings: {
    beta: { value: 0.1, source: "3P" },
    samples: { value: 5, source: "3P" },
    steps: { value: 60, source: "3P" },
    sftSteps: { value: 4000, source: "3P" },
  },
  needs: ["completion"],
  arms(s) {
    const pull = { type: "sampled-reverse-kl", weight: s.beta, rows: "failing" } as const;
    const both: ReinforceFields = { loss: [{ type: "policy-gradient" }, pull] };
    const teacher = { type: "model", from: "stage:teacher" } as const;
    const { teacher: size, teacherSteps: steps, teacherRate: learningRate } = s;
    const cold = { student: freshStudent(s.student) };
    return {
      GRPO: [reinforceStage(s, {}, cold)],
      "GRPO + teacher": [
        teacherStage("teacher", s, { size, steps, learningRate }),
        reinforceStage(s, both, { ...cold, teacher }),
      ],
      "SFT → GRPO": reinforceArm(s, {}, { teacher: false }),
      "SFT → GRPO + teacher": reinforceArm(s, both, { teacher: true }),
    };
  },
  baseline: "SFT → GRPO",
  comparisons: [
    higher("heldOut.accuracy", "SFT → GRPO + teacher"),
    higher("heldOut.accuracy", "SFT → GRPO + teacher", "GRPO + teacher"),
  ],
  metrics: ["heldOut.accuracy", "heldOut.passAt1", "heldOut.meanLength"],
  fairness: {
    equal: "rollouts",
    note: "Arms with a cold start have its steps besides; all have as many rollouts.",
  },
});
