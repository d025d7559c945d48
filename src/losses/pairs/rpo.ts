import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  answerLogProbs,
  betaField,
  type ReferencedPairs,
  referencedPairInputs,
} from "../answer-log-probs.js";
import { defineLoss } from "../define.js";
import { dpo, type DpoOptions } from "./dpo.js";

export interface RpoOptions extends DpoOptions {
  /** Weight of the likelihood of the preferred answer. Default 0.5. */
  readonly nllWeight?: number;
}

/**
 * RPO-DPO: DPO with the negative log-likelihood of the preferred answer per token added, which keeps
 * the preferred answer from losing probability itself.
 *
 *     −log σ(β [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)]) − λ (1/|y⁺|) log π(y⁺)
 *
 * λ = 0.5 and β = 0.1 are what TinyThinker's configuration class has; its shipped script runs with
 * β = 0.5.
 *
 * @param pairs log-probabilities `[B, P]` and `[B, Q]` of student and reference, with masks
 * @returns `[B]`
 * @see https://arxiv.org/abs/2404.19733 (DPO with a likelihood term)
 */
export function rpo(pairs: ReferencedPairs, options: RpoOptions = {}): tf.Tensor1D {
  const { nllWeight = 0.5, ...dpoOptions } = options;
  return tf.tidy(() => {
    const { positive } = answerLogProbs(pairs, "mean");
    return dpo(pairs, dpoOptions).sub(positive.mul(nllWeight)) as tf.Tensor1D;
  });
}

export const rpoLoss = defineLoss({
  name: "rpo",
  summary: "DPO plus the negative log-likelihood per token of the right answer.",
  formula:
    "−log σ(beta · [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)]) − nllWeight · log π(y⁺) / |y⁺|",
  reference: "https://arxiv.org/abs/2404.19733",
  whenToUse:
    "Where dpo lowers the probability of the right answers as well, as it does on reasoning.",
  failureSignature:
    "The likelihood term dominates and the difference between the answers stays at 0: it has become SFT. Remedy: a smaller nllWeight or a larger beta.",
  per: "row",
  needs: referencedPairInputs,
  config: z.strictObject({
    beta: betaField,
    nllWeight: z
      .number()
      .min(0)
      .default(0.5)
      .describe("Weight of the negative log-likelihood per token of the preferred answer."),
  }),
  properties: { nonNegative: true },
  examples: [{}, { beta: 0.5, nllWeight: 1 }],
  evaluate: (inputs, config) => rpo(inputs, config),
});
