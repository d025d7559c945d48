import { z } from "zod";
import {
  additionSettings,
  higher,
  reinforceArm,
  type ReinforceFields,
  reinforceSettings,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Reverse KL of sequences by policy gradient: the step's own term exactly, later ones as reward-to-go. */
export const minillm = defineMethod({
  name: "minillm",
  title: "MiniLLM: Knowledge Distillation of Large Language Models",
  paper: { citation: "Gu et al., ICLR 2024", url: "https://arxiv.org/abs/2306.08543" },
  claim: "Without length normalisation of the reward-to-go, students become worse.",
  fidelity: "faithful",
  note: "Without the paper's pre-training loss on plain text; teacher-mixed sampling is an arm of its own.",
  settings: z.strictObject({
    ...additionSettings(50),
    ...reinforceSettings(),
    mix: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe("Share α of the teacher in mixed sampling."),
  }),
  paperSettings: {
    mix: { value: 0.2, source: "SRC" },
    limit: { value: 100, source: "SRC", here: "100" },
  },
  needs: ["completion"],
  arms(s) {
    const term = (lengthNormalized: boolean, discount: number): ReinforceFields => ({
      rewards: [],
      advantage: {
        teacher: { discount, lengthNormalized, afterToken: true, limit: 100 },
        whiten: true,
      },
      loss: [{ type: "policy-gradient" }, { type: "reverse-kl" }],
    });
    const arm = (fields: ReinforceFields) => reinforceArm(s, fields, { teacher: true });
    const mixed = {
      ...({ type: "teacher-mixed" } as const),
      ...{ teacherShare: s.mix, samplesPerProblem: s.samples },
    };
    return {
      "length-normalised": arm(term(true, 1)),
      "not normalised": arm(term(false, 1)),
      "single step only": arm({ ...term(true, 1), loss: [{ type: "reverse-kl" }] }),
      "teacher-mixed": arm({ ...term(true, 1), sampler: mixed }),
    };
  },
  baseline: "not normalised",
  comparisons: [higher("heldOut.accuracy", "length-normalised")],
  metrics: ["heldOut.accuracy", "heldOut.passAt1", "heldOut.meanLength", "longer.accuracy"],
  fairness: {
    equal: "rollouts",
    note: "All arms begin with the same SFT and take as many optimizer steps of as many rollouts, all scored by the teacher.",
  },
});
