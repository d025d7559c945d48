import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  type AnswerPairs,
  answerLogProbs,
  answerPairInputs,
  assertPairs,
} from "../answer-log-probs.js";
import { defineLoss } from "../define.js";

export interface RediOptions {
  /** Weight of the right answer. Default 1. */
  readonly positiveWeight?: number;
  /** Weight of the wrong answer. Default 0.8. */
  readonly negativeWeight?: number;
  /** γ of the factor π(y⁻)^(γ/|y⁻|) on the wrong answer; 0 leaves it out. Default 0. */
  readonly negativeReweighting?: number;
}

/**
 * REDI: raises the mean log-probability of the tokens of a right answer and lowers that of a wrong
 * one, without a reference model. In nats per token.
 *
 *     −α⁺ m⁺ + α⁻ m⁻ exp(γ m⁻),   m± = (1/|y±|) Σ_t log π(y±_t)
 *
 * Each answer is divided by its own length: that is part of the definition, not of the averaging.
 * α⁻ = 0 is SFT on the right answers; α⁻ = 1 is the symmetric form, which the paper reports to be
 * unstable at the same learning rate. The factor exp(γ m⁻) is in the authors' code (off there, γ = 1
 * when on) and not in the paper's equation; as there, it is not detached, so the gradient with
 * respect to m⁻ is α⁻ exp(γ m⁻) (1 + γ m⁻): wrong answers with m⁻ below −1/γ are raised by it.
 * Unbounded below: the value alone says nothing about progress.
 *
 * @param pairs log-probabilities `[B, P]` and `[B, Q]` with masks; an answer without tokens adds 0
 * @returns `[B]`
 * @see https://arxiv.org/abs/2505.24850, equation 5; weights as in the released dpo2_trainer.py
 */
export function redi(pairs: AnswerPairs, options: RediOptions = {}): tf.Tensor1D {
  const { positiveWeight = 1, negativeWeight = 0.8, negativeReweighting = 0 } = options;
  assertPairs(pairs);
  return tf.tidy(() => {
    const { positive, negative } = answerLogProbs(pairs, "mean");
    const pushed =
      negativeReweighting === 0 ? negative : negative.mul(negative.mul(negativeReweighting).exp());
    return pushed.mul(negativeWeight).sub(positive.mul(positiveWeight)) as tf.Tensor1D;
  });
}

export const rediLoss = defineLoss({
  name: "redi",
  summary:
    "Raises the mean log-probability of right answers and lowers that of wrong ones by less; no reference model.",
  formula:
    "−positiveWeight · m⁺ + negativeWeight · m⁻ · exp(negativeReweighting · m⁻), m = mean token log-probability of an answer",
  reference: "https://arxiv.org/abs/2505.24850 (equation 5)",
  whenToUse:
    "After SFT on right traces, when wrong traces for the same questions are at hand and there is no room for a reference model.",
  failureSignature:
    "The log-probabilities of both sides fall together and the loss falls without bound: the negative side wins. Remedy: a smaller negativeWeight or learning rate (the symmetric form needs about a fifth of it).",
  per: "row",
  needs: answerPairInputs,
  config: z.strictObject({
    positiveWeight: z.number().min(0).default(1).describe("Weight of the right answer."),
    negativeWeight: z
      .number()
      .min(0)
      .default(0.8)
      .describe("Weight of the wrong answer; 0 is SFT, 1 the symmetric and unstable form."),
    negativeReweighting: z
      .number()
      .min(0)
      .default(0)
      .describe(
        "γ of a factor exp(γ · m⁻) on the wrong answer, with its gradient; 0 leaves it out, the authors' code has 1 where it is on.",
      ),
  }),
  properties: {},
  examples: [{}, { positiveWeight: 0.7, negativeWeight: 0.3 }, { negativeReweighting: 1 }],
  evaluate: (inputs, config) => redi(inputs, config),
});
