import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  type AnswerPairs,
  answerLogProbs,
  answerPairInputs,
  assertPairs,
  onlyWholePairs,
} from "../answer-log-probs.js";
import { defineLoss } from "../define.js";

export interface SimpoOptions {
  /** Factor of the difference of the mean log-probabilities. Default 2. */
  readonly beta?: number;
  /** Margin by which the preferred answer has to win, in units of the scaled difference. Default 1. */
  readonly gamma?: number;
}

/**
 * SimPO: the preferred answer is to be likelier per token than the rejected one by a margin; no
 * reference model. In nats.
 *
 *     −log σ(β/|y⁺| log π(y⁺) − β/|y⁻| log π(y⁻) − γ)
 *
 * γ is taken off after the multiplication by β (TRL's `gamma_beta_ratio` is γ/β). A pair of which
 * one side has no tokens gives 0. The defaults are those of REDI's SimPO baseline.
 *
 * @param pairs log-probabilities `[B, P]` and `[B, Q]` with masks
 * @returns `[B]`
 * @see https://arxiv.org/abs/2405.14734 (the objective)
 */
export function simpo(pairs: AnswerPairs, options: SimpoOptions = {}): tf.Tensor1D {
  const { beta = 2, gamma = 1 } = options;
  assertPairs(pairs);
  return tf.tidy(() => {
    const { positive, negative } = answerLogProbs(pairs, "mean");
    const margin = positive.sub(negative).mul(beta).sub(gamma);
    return onlyWholePairs(margin.neg().softplus(), pairs);
  });
}

export const simpoLoss = defineLoss({
  name: "simpo",
  summary: "Preference by mean token log-probability with a margin; no reference model.",
  formula: "−log σ(beta · [log π(y⁺)/|y⁺| − log π(y⁻)/|y⁻|] − gamma)",
  reference: "https://arxiv.org/abs/2405.14734",
  whenToUse:
    "Preference pairs without room for a reference model, or answers of very unequal length.",
  failureSignature:
    "Both mean log-probabilities fall and the text degrades, since nothing holds the student to where it started. Remedy: a smaller learning rate, or a likelihood term beside it.",
  per: "row",
  needs: answerPairInputs,
  config: z.strictObject({
    beta: z
      .number()
      .positive()
      .default(2)
      .describe("Factor of the difference of the mean log-probabilities."),
    gamma: z.number().min(0).default(1).describe("Margin that the scaled difference has to pass."),
  }),
  properties: { nonNegative: true },
  examples: [{}, { beta: 0.5, gamma: 0 }, { beta: 3, gamma: 0.4 }],
  evaluate: (inputs, config) => simpo(inputs, config),
});
