import { z } from "zod";
import {
  additionSettings,
  higher,
  reinforceArm,
  type ReinforceFields,
  reinforceSettings,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

/** Rule rewards and the reverse KL to a teacher on the same rollouts of the student. */
export const kdrl = defineMethod({
  number: 34,
  name: "kdrl",
  title: "KDRL: Unified Knowledge Distillation and Reinforcement Learning",
  paper: { citation: "Xu et al. 2025", url: "https://arxiv.org/abs/2506.02208" },
  claim:
    "At equal rollouts, rewards and the reverse KL to a teacher together beat GRPO alone and the reverse KL alone; k1, which is the latter as an advantage, does nothing as a loss.",
  fidelity: "faithful",
  note: "k1 as a loss has a gradient of 0 on average, and Adam makes long steps of noise; as an advantage it is KDRL's own form, and the reverse KL alone is that.",
  settings: z.strictObject({
    ...additionSettings(50),
    ...reinforceSettings(),
    beta: z
      .number()
      .positive()
      .default(0.1)
      .describe("β, fixed. Advantages are of the order 1 and log-ratios of a small student large."),
    betaTo: z.number().positive().default(0.02).describe("Where the annealed β ends."),
  }),
  paperSettings: {
    beta: { value: "about 2e-3", source: "REC" },
    betaTo: { value: "from 5e-3 to 1e-3, by 5e-5 a step", source: "3P" },
    samples: { value: "not known", source: "REC" },
    teacher: { value: "Skywork-OR1-Math-7B", source: "3P" },
    student: { value: "1.5B", source: "3P" },
    steps: { value: 280, source: "3P" },
  },
  needs: ["completion"],
  arms(s) {
    const withTeacher = (fields: ReinforceFields) => reinforceArm(s, fields, { teacher: true });
    const shift = (
      weight: number | { from: number; to: number },
      rows: "all" | "failing" = "all",
    ): ReinforceFields => ({ advantage: { teacher: { weight, rows } } });
    return {
      GRPO: reinforceArm(s, {}, { teacher: false }),
      "reverse KL": withTeacher({ rewards: [], ...shift(1) }),
      "k1 as a loss": withTeacher({
        ...{ rewards: [], loss: [{ type: "sampled-reverse-kl", estimator: "k1-no-gradient" }] },
      }),
      KDRL: withTeacher(shift(s.beta)),
      "KDRL, annealed": withTeacher(shift({ from: s.beta, to: s.betaTo })),
      "KDRL, failing rows": withTeacher(shift(s.beta, "failing")),
    };
  },
  baseline: "GRPO",
  comparisons: [
    higher("heldOut.accuracy", "KDRL"),
    higher("heldOut.accuracy", "KDRL", "reverse KL"),
    higher("heldOut.accuracy", "reverse KL", "k1 as a loss"),
  ],
  metrics: ["heldOut.accuracy", "heldOut.passAt1", "longer.accuracy", "heldOut.meanLength"],
  fairness: {
    equal: "rollouts",
    note: "All arms begin with the same SFT and take as many optimizer steps of as many rollouts; arms with a teacher have it score every token besides.",
  },
});
