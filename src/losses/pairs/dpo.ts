import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  assertPairs,
  betaField,
  onlyWholePairs,
  preferenceOverReference,
  type ReferencedPairs,
  referencedPairInputs,
} from "../answer-log-probs.js";
import { defineLoss } from "../define.js";

export interface DpoOptions {
  /** How strongly the student is held to the reference. Default 0.1. */
  readonly beta?: number;
}

/**
 * DPO: the student is to prefer the preferred answer by more than the reference does. In nats.
 *
 *     −log σ(β [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)])
 *
 * Log-probabilities are summed over the tokens of an answer, so long answers have larger ratios. At
 * the reference the value is ln 2. Tokens that both answers share (a prefix) belong into the prompt:
 * leave them out of both masks. A pair of which one side has no tokens gives 0. β = 0.1 is the
 * customary value; methods that state none (SuperCorrect, ARTE) are reconstructed with it, their
 * papers' value was not verified. REDI's baseline has 0.001.
 *
 * @param pairs log-probabilities `[B, P]` and `[B, Q]` of student and reference, with masks
 * @returns `[B]`
 * @see https://arxiv.org/abs/2305.18290, equation 7
 */
export function dpo(pairs: ReferencedPairs, { beta = 0.1 }: DpoOptions = {}): tf.Tensor1D {
  assertPairs(pairs);
  return tf.tidy(() => {
    const preference = preferenceOverReference(pairs, "sum");
    return onlyWholePairs(preference.mul(-beta).softplus(), pairs);
  });
}

export const dpoLoss = defineLoss({
  name: "dpo",
  summary: "Preference of the right answer over the wrong one, measured against a reference model.",
  formula: "−log σ(beta · [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)]), sums over tokens",
  reference: "https://arxiv.org/abs/2305.18290 (equation 7)",
  whenToUse:
    "Pairs of a good and a bad answer to the same prompt, and a student that must not drift far from where it started.",
  failureSignature:
    "The log-probabilities of both answers fall while their difference grows: the student moves its mass to neither. Remedy: rpo, or a larger beta.",
  per: "row",
  needs: referencedPairInputs,
  config: z.strictObject({ beta: betaField }),
  properties: { nonNegative: true },
  examples: [{}, { beta: 0.5 }, { beta: 2 }],
  evaluate: (inputs, config) => dpo(inputs, config),
});
