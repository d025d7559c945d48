import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../tensors/index.js";
import type { LossInputs } from "./inputs.js";
import { keepMasked, meanOfMasked } from "./masked.js";
import { stopGradient } from "./stop-gradient.js";

/** A preferred and a rejected answer under the student. */
export type AnswerPairs = Pick<
  LossInputs,
  "positiveTokenLogProbs" | "positiveMask" | "negativeTokenLogProbs" | "negativeMask"
>;
/** The same with the log-probabilities of the frozen reference model. */
export type ReferencedPairs = AnswerPairs &
  Pick<LossInputs, "referencePositiveTokenLogProbs" | "referenceNegativeTokenLogProbs">;

export const answerPairInputs = [
  "positiveTokenLogProbs",
  "positiveMask",
  "negativeTokenLogProbs",
  "negativeMask",
] as const;
export const referencedPairInputs = [
  ...answerPairInputs,
  "referencePositiveTokenLogProbs",
  "referenceNegativeTokenLogProbs",
] as const;

export function assertPairs(pairs: AnswerPairs & Partial<ReferencedPairs>): void {
  const shapes = {
    positiveTokenLogProbs: "B P",
    positiveMask: "B P",
    negativeTokenLogProbs: "B Q",
    negativeMask: "B Q",
  };
  const references =
    "referencePositiveTokenLogProbs" in pairs
      ? { referencePositiveTokenLogProbs: "B P", referenceNegativeTokenLogProbs: "B Q" }
      : {};
  assertShape({ ...pairs } as Record<string, tf.Tensor>, { ...shapes, ...references });
}

/** log π(y⁺) and log π(y⁻), `[B]` each: sums over the tokens of an answer, or means over them. */
export function answerLogProbs(
  pairs: AnswerPairs,
  over: "sum" | "mean",
): { positive: tf.Tensor1D; negative: tf.Tensor1D } {
  const { positiveTokenLogProbs, positiveMask, negativeTokenLogProbs, negativeMask } = pairs;
  const reduce =
    over === "mean"
      ? meanOfMasked
      : (x: tf.Tensor2D, mask: tf.Tensor2D) => keepMasked(x, mask).sum(-1) as tf.Tensor1D;
  return {
    positive: reduce(positiveTokenLogProbs, positiveMask),
    negative: reduce(negativeTokenLogProbs, negativeMask),
  };
}

/**
 * How much more than the reference the student prefers the preferred answer, in nats, `[B]`:
 *
 *     log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)
 *
 * No gradient flows into the reference.
 */
export function preferenceOverReference(pairs: ReferencedPairs, over: "sum" | "mean"): tf.Tensor1D {
  const ratios = {
    ...pairs,
    positiveTokenLogProbs: pairs.positiveTokenLogProbs.sub(
      stopGradient(pairs.referencePositiveTokenLogProbs),
    ) as tf.Tensor2D,
    negativeTokenLogProbs: pairs.negativeTokenLogProbs.sub(
      stopGradient(pairs.referenceNegativeTokenLogProbs),
    ) as tf.Tensor2D,
  };
  const { positive, negative } = answerLogProbs(ratios, over);
  return positive.sub(negative);
}

/** The values of pairs of which both answers have tokens, and 0 for the others, `[B]`. */
export function onlyWholePairs(values: tf.Tensor, pairs: AnswerPairs): tf.Tensor1D {
  const hasTokens = (mask: tf.Tensor2D) => stopGradient(mask).notEqual(0).any(-1);
  const whole = hasTokens(pairs.positiveMask).logicalAnd(hasTokens(pairs.negativeMask));
  return tf.where(whole, values, tf.zerosLike(values)) as tf.Tensor1D;
}

/** The β of losses that compare with a reference model. */
export const betaField = z
  .number()
  .positive()
  .default(0.1)
  .describe("How strongly the student is held to the reference; small values let it go further.");
