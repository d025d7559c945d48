import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { cosineSimilarity } from "../cosine-similarity.js";
import { defineLoss } from "../define.js";

export interface TripletOptions {
  /** By how much nearer the positive has to be. Default 1. */
  readonly margin?: number;
}

/**
 * Triplet loss on cosine distances: the anchor is to be nearer to the positive than to the negative.
 *
 *     max(0, d(a, +) − d(a, −) + margin),   d = 1 − cos
 *
 * In Learn-to-Reason the vectors are hidden states of last tokens: a correct rationale as anchor,
 * another correct one as positive, one of the student's own wrong ones as negative; margin 1 and a
 * weight of 0.5 beside the likelihood, as in its released code. A vector of 0 is at distance 1 from
 * everything.
 *
 * @param anchorStates `[B, D]`
 * @param positiveStates `[B, D]`
 * @param negativeStates `[B, D]`
 * @returns `[B]`, from 0 to margin + 2
 * @see https://arxiv.org/abs/2310.13332 (self-reflection learning); the released trainer.py
 */
export function triplet(
  anchorStates: tf.Tensor2D,
  positiveStates: tf.Tensor2D,
  negativeStates: tf.Tensor2D,
  { margin = 1 }: TripletOptions = {},
): tf.Tensor1D {
  assertShape(
    { anchorStates, positiveStates, negativeStates },
    { anchorStates: "B D", positiveStates: "B D", negativeStates: "B D" },
  );
  return tf.tidy(() => {
    const near = cosineSimilarity(anchorStates, positiveStates);
    const far = cosineSimilarity(anchorStates, negativeStates);
    return far.sub(near).add(margin).relu() as tf.Tensor1D;
  });
}

export const tripletLoss = defineLoss({
  name: "triplet",
  summary:
    "The anchor's vector is to be nearer to the positive's than to the negative's by a margin.",
  formula: "max(0, d(a, +) − d(a, −) + margin) with d = 1 − cos",
  reference: "https://arxiv.org/abs/2310.13332 (self-reflection learning)",
  whenToUse:
    "Beside a likelihood term, to tell right rationales from the student's own wrong ones by their hidden states.",
  failureSignature:
    "The loss stands at the margin: all vectors point the same way (collapse), or nothing trains the states. Remedy: a smaller weight, negatives that differ from the positives.",
  per: "row",
  needs: ["anchorStates", "positiveStates", "negativeStates"],
  config: z.strictObject({
    margin: z
      .number()
      .min(0)
      .default(1)
      .describe("By how much nearer the positive has to be, in cosine distance (0 to 2)."),
  }),
  properties: { nonNegative: true },
  examples: [{}, { margin: 0.2 }],
  evaluate: ({ anchorStates, positiveStates, negativeStates }, config) =>
    triplet(anchorStates, positiveStates, negativeStates, config),
});
