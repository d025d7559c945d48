import { z } from "zod";
import {
  additionSettings,
  distillArm,
  type DistillLoss,
  distillSettings,
  higher,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** DistiLLM: skewed divergences, learned on few samples of the student. */
export const distillm = defineMethod({
  name: "distillm",
  title: "DistiLLM: Towards Streamlined Distillation for Large Language Models",
  paper: { citation: "Ko et al., ICML 2024", url: "https://arxiv.org/abs/2402.03898" },
  claim:
    "Skewed KLs teach more than plain ones on the student's own samples, and with an adaptive replay of earlier samples they teach more than on the data's rows alone.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...additionSettings(),
    ...distillSettings({ sftSteps: 380, steps: 300 }),
    skew: z.number().gt(0).lt(1).default(0.1).describe("Share of the one side in the mixture, α."),
    capacity: z.int().min(1).default(256).describe("Rows of the student's that are kept."),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("Probability of the student's, at first."),
    increase: z.number().min(0).max(1).default(0.1).describe("What a risen loss adds to it."),
    tolerance: z
      .number()
      .min(0)
      .default(0.01)
      .describe("[REC] Rise of the validation loss that counts, for losses as low as the task's."),
    validateEvery: z.int().min(1).default(10).describe("[REC] Steps between validation losses."),
  }),
  paperSettings: {
    skew: { value: 0.1, source: "SRC" },
    capacity: { value: 1000, source: "SRC" },
    threshold: { value: 0, source: "SRC" },
    increase: { value: 0.1, source: "SRC" },
    tolerance: { value: 0.1, source: "SRC" },
    validateEvery: { value: 1000, source: "SRC" },
    schedule: { value: "decreasing", source: "SRC", here: "decreasing" },
  },
  needs: ["completion"],
  arms(s) {
    const { skew: alpha, capacity, threshold, increase, tolerance, validateEvery: every } = s;
    const replay = { capacity, threshold, increase, tolerance, every } as const;
    const arm = (onPolicyFraction: number, loss: DistillLoss) =>
      distillArm(s, { onPolicyFraction, loss });
    const skewed = (direction: "forward" | "reverse"): DistillLoss => [
      { type: "skew-kl", alpha, direction },
    ];
    return {
      "forward KL, on policy": arm(1, [{ type: "forward-kl" }]),
      "reverse KL, on policy": arm(1, [{ type: "reverse-kl" }]),
      "skew KL, on policy": arm(1, skewed("forward")),
      "skew reverse KL, on policy": arm(1, skewed("reverse")),
      "skew KL, replay": distillArm(s, { replay, loss: skewed("forward") }),
      "skew reverse KL, replay": distillArm(s, { replay, loss: skewed("reverse") }),
      "skew KL, off policy": arm(0, skewed("forward")),
    };
  },
  baseline: "forward KL, on policy",
  comparisons: [
    higher("heldOut.accuracy", "skew KL, on policy"),
    higher("heldOut.accuracy", "skew reverse KL, on policy", "reverse KL, on policy"),
    higher("heldOut.accuracy", "skew KL, replay", "skew KL, off policy"),
  ],
  metrics: ["heldOut.accuracy", "longer.accuracy", "heldOut.loss", "heldOut.reverseKl"],
  fairness: {
    equal: "steps",
    note: "All arms begin with the same SFT and take as many optimizer steps of as many rows; what the student writes costs besides and is in the table.",
  },
});
