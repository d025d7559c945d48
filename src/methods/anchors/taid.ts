import { z } from "zod";
import {
  additionSettings,
  distillArm,
  type DistillLoss,
  distillSettings,
  higher,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Temporally adaptive interpolated distillation: the target moves from the student to the teacher. */
export const taid = defineMethod({
  name: "taid",
  title: "TAID: Temporally Adaptive Interpolated Distillation",
  paper: { citation: "Shing et al., ICLR 2025", url: "https://arxiv.org/abs/2501.16937" },
  claim:
    "A target that moves from the student's distribution to the teacher's teaches more than the teacher's own, in either direction of the KL.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...additionSettings(),
    ...distillSettings({ sftSteps: 380, steps: 200 }),
    start: z.number().min(0).max(1).default(0.4).describe("Share of the teacher at first."),
    rate: z.number().positive().default(5e-4).describe("Largest step of the adaptive part, α."),
    momentum: z.number().min(0).max(1).default(0.99).describe("Of the running mean, β."),
  }),
  paperSettings: {
    start: { value: "0.2 to 0.4", source: "REC" },
    rate: { value: 5e-4, source: "REC" },
    momentum: { value: 0.99, source: "REC" },
  },
  needs: ["completion"],
  arms(s) {
    const { start, rate, momentum } = s;
    const arm = (loss: DistillLoss) => distillArm(s, { onPolicyFraction: 0, loss });
    return {
      "forward KL": arm([{ type: "forward-kl" }]),
      "reverse KL": arm([{ type: "reverse-kl" }]),
      TAID: arm([{ type: "taid", start, rate, momentum }]),
      "TAID, not adaptive": arm([{ type: "taid", start, rate: 0, momentum }]),
    };
  },
  baseline: "forward KL",
  comparisons: [
    higher("heldOut.accuracy", "TAID"),
    higher("heldOut.accuracy", "TAID", "reverse KL"),
  ],
  metrics: ["heldOut.accuracy", "longer.accuracy", "heldOut.loss", "heldOut.forwardKl"],
  fairness: {
    equal: "steps",
    note: "All arms begin with the same SFT, learn on the same rows and take as many optimizer steps; the teacher scores each row once.",
  },
});
