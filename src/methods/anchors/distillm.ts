import { z } from "zod";
import {
  additionProblems,
  baseSettings,
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
    "Skewed KLs teach more than plain ones on the student's own samples, and a part of such samples is enough.",
  fidelity: "proxy",
  note: "the adaptive replay (a buffer of earlier samples, whose share grows as the validation loss does) is replaced by a fixed share of fresh samples beside the data's rows; the distill trainer has no such buffer.",
  settings: z.strictObject({
    ...baseSettings({ problems: additionProblems(3) }),
    ...distillSettings({ sftSteps: 400, steps: 300 }),
    skew: z.number().gt(0).lt(1).default(0.1).describe("Share of the one side in the mixture, α."),
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("[REC] Share of rows that the student writes, in place of the adaptive one."),
  }),
  paperSettings: { skew: { value: 0.1, source: "SRC" } },
  needs: ["completion"],
  arms(s) {
    const { skew: alpha, share } = s;
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
      "skew KL, in part": arm(share, skewed("forward")),
      "skew KL, off policy": arm(0, skewed("forward")),
    };
  },
  baseline: "forward KL, on policy",
  comparisons: [
    higher("heldOut.accuracy", "skew KL, on policy"),
    higher("heldOut.accuracy", "skew reverse KL, on policy", "reverse KL, on policy"),
    higher("heldOut.accuracy", "skew KL, in part", "skew KL, off policy"),
  ],
  metrics: ["heldOut.accuracy", "longer.accuracy", "heldOut.loss", "heldOut.reverseKl"],
  fairness: {
    equal: "steps",
    note: "All arms begin with the same SFT and take as many optimizer steps of as many rows; what the student writes costs besides and is in the table.",
  },
});
