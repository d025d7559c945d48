import { z } from "zod";
import { defineReward } from "./define.js";

/** Whether the final answer is right, as the source of the problems says. */
export const exactReward = defineReward({
  name: "exact",
  summary: "1 where the final answer is right, 0 where it is not.",
  reference: "https://arxiv.org/abs/2501.12948 (section 2.2.2, accuracy rewards)",
  needs: [],
  config: z.strictObject({
    right: z.number().default(1).describe("Reward of a right answer."),
    wrong: z.number().default(0).describe("Reward of any other completion."),
  }),
  evaluate: ({ verification }, { right, wrong }) => (verification.correct ? right : wrong),
});
