import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  assertPairs,
  onlyWholePairs,
  preferenceOverReference,
  type ReferencedPairs,
  referencedPairInputs,
} from "../answer-log-probs.js";
import { defineLoss } from "../define.js";
import type { DpoOptions } from "./dpo.js";

export interface IpoOptions extends DpoOptions {
  /** Means over the tokens of an answer in place of sums. Default false. */
  readonly lengthNormalized?: boolean;
}

/**
 * IPO: the student is to prefer the preferred answer by a fixed amount more than the reference does,
 * not by as much as possible.
 *
 *     (log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻) − 1/(2β))²
 *
 * β is the paper's τ. The paper sums over the tokens of an answer, as here by default; TRL takes
 * means (`lengthNormalized`). A pair of which one side has no tokens gives 0. The default β = 0.1 is
 * DPO's customary value, not verified against the paper.
 *
 * @param pairs log-probabilities `[B, P]` and `[B, Q]` of student and reference, with masks
 * @returns `[B]`
 * @see https://arxiv.org/abs/2310.12036, equation 17
 */
export function ipo(pairs: ReferencedPairs, options: IpoOptions = {}): tf.Tensor1D {
  const { beta = 0.1, lengthNormalized = false } = options;
  assertPairs(pairs);
  return tf.tidy(() => {
    const preference = preferenceOverReference(pairs, lengthNormalized ? "mean" : "sum");
    return onlyWholePairs(preference.sub(1 / (2 * beta)).square(), pairs);
  });
}

export const ipoLoss = defineLoss({
  name: "ipo",
  summary: "Regression of the preference over a reference model to a fixed margin of 1/(2 beta).",
  formula: "(log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻) − 1 / (2 beta))²",
  reference: "https://arxiv.org/abs/2310.12036 (equation 17)",
  whenToUse: "Few or noise-free pairs, on which dpo would push the two answers apart without end.",
  failureSignature:
    "The loss stands at 1/(4 beta²) and does not move: beta is so small that the margin is out of reach, or the learning rate is. Remedy: a larger beta, or lengthNormalized for long answers.",
  per: "row",
  needs: referencedPairInputs,
  config: z.strictObject({
    beta: z
      .number()
      .positive()
      .default(0.1)
      .describe("The margin is 1/(2 beta): small values let the student go further."),
    lengthNormalized: z
      .boolean()
      .default(false)
      .describe("Means over the tokens of an answer in place of sums, as TRL has it."),
  }),
  properties: { nonNegative: true },
  examples: [{}, { beta: 0.5 }, { beta: 0.3, lengthNormalized: true }],
  evaluate: (inputs, config) => ipo(inputs, config),
});
