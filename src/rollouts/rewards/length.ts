import { z } from "zod";
import { defineReward } from "./define.js";

const shapes = ["peak", "overlong", "shorter"] as const;

/** Of a completion's length alone. */
export const lengthReward = defineReward({
  name: "length",
  summary:
    "A shape over the completion's length: up to a target and down again, or a price of length.",
  reference:
    "peak: Surrogate Signals from Format and Length, https://arxiv.org/abs/2505.19439; overlong: DAPO, https://arxiv.org/abs/2503.14476 (equation 13)",
  needs: [],
  config: z.strictObject({
    shape: z
      .enum(shapes)
      .default("peak")
      .describe(
        "With x = length / longest. peak: 1 − (1 − x/p)² up to x = target p, 1 − 2((x − p)/(1 − p))² beyond, from 0 over 1 to −1. overlong: 0 up to x = target, then straight down to −1 at x = 1. shorter: 1 − x.",
      ),
    target: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe("Share p of the longest length where it turns; unused by shorter."),
    longest: z
      .int()
      .min(1)
      .optional()
      .describe("Tokens of a completion with x = 1. Default: the most that the student may write."),
  }),
  evaluate: ({ length }, { shape, target, longest }, { maxNewTokens }) =>
    lengthShape(shape, Math.min(1, length / (longest ?? maxNewTokens)), target),
});

/**
 * What a completion of a length is worth, at most 1.
 *
 * @param x share of the longest length, 0 to 1
 */
export function lengthShape(shape: (typeof shapes)[number], x: number, target: number): number {
  switch (shape) {
    case "peak":
      if (x <= target) return 1 - (1 - x / target) ** 2;
      return 1 - 2 * ((x - target) / (1 - target)) ** 2;
    case "overlong":
      return -Math.max(0, x - target) / (1 - target);
    case "shorter":
      return 1 - x;
  }
}
