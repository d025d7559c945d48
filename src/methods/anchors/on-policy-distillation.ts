import { z } from "zod";
import {
  additionSettings,
  higher,
  reinforceArm,
  type ReinforceFields,
  reinforceSettings,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Sampled reverse KL as an advantage: distillation as a policy gradient, a number per token. */
export const onPolicyDistillation = defineMethod({
  name: "on-policy-distillation",
  title: "On-Policy Distillation as a policy gradient (sampled reverse KL as advantage)",
  paper: {
    citation: "Lu and Thinking Machines Lab 2025",
    url: "https://thinkingmachines.ai/blog/on-policy-distillation/",
  },
  claim:
    "At equal rollouts, what a teacher thinks of every token, log T − log S, as its advantage beats a reward per completion.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...additionSettings(50),
    ...reinforceSettings(),
    discount: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe("[REC] γ of the arm in which tokens answer for later ones too."),
  }),
  paperSettings: {
    discount: {
      value: "0: each token for itself",
      source: "3P",
      here: "an arm with 0, one with γ",
    },
    teacher: { value: "Qwen3-32B", source: "REC" },
    student: { value: "Qwen3-8B-Base after SFT", source: "REC" },
  },
  needs: ["completion"],
  arms(s) {
    const arm = (fields: ReinforceFields) =>
      reinforceArm(s, { rewards: [], ...fields }, { teacher: true });
    return {
      GRPO: reinforceArm(s, {}, { teacher: false }),
      "each token": arm({ advantage: { teacher: { discount: 0 } } }),
      "reward-to-go": arm({ advantage: { teacher: { discount: s.discount } } }),
      // The same gradient on average, without the noise of samples.
      "whole vocabulary": arm({ loss: [{ type: "reverse-kl" }] }),
    };
  },
  baseline: "GRPO",
  comparisons: [higher("heldOut.accuracy", "each token")],
  metrics: [
    ...["heldOut.accuracy", "heldOut.passAt1", "longer.accuracy"],
    ...["heldOut.reverseKl", "heldOut.meanLength"],
  ],
  fairness: {
    equal: "rollouts",
    note: "All arms begin with the same SFT and take as many optimizer steps of as many rollouts; arms with a teacher have it score every token besides.",
  },
});
