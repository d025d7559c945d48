import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import {
  answerLogProbs,
  type AnswerPairs,
  type LossInputs,
  onlyWholePairs,
} from "../../losses/index.js";

type TokenInputs = Pick<LossInputs, "tokenLogProbs"> &
  Partial<Pick<LossInputs, "teacherTokenLogProbs">>;

/**
 * Inputs of the losses on pairs, from a batch that holds B preferred answers and then B rejected
 * ones: the two halves of `[2B, T]`, each with its completion mask. The reference is the teacher.
 */
export function pairInputs(
  { completionMask }: Pick<Batch, "completionMask">,
  { tokenLogProbs, teacherTokenLogProbs }: TokenInputs,
): AnswerPairs & Partial<LossInputs> {
  const [positiveTokenLogProbs, negativeTokenLogProbs] = halves(tokenLogProbs);
  const [positiveMask, negativeMask] = halves(completionMask);
  const pairs = { positiveTokenLogProbs, positiveMask, negativeTokenLogProbs, negativeMask };
  if (teacherTokenLogProbs === undefined) return pairs;
  const [positive, negative] = halves(teacherTokenLogProbs);
  return {
    ...pairs,
    referencePositiveTokenLogProbs: positive,
    referenceNegativeTokenLogProbs: negative,
  };
}

/** Σ over pairs of the mean log-probability of a token of the preferred and the rejected answer. */
export function pairSums(pairs: AnswerPairs): Record<string, tf.Scalar> {
  const { positive, negative } = answerLogProbs(pairs, "mean");
  const sum = (side: tf.Tensor1D) => onlyWholePairs(side, pairs).sum<tf.Scalar>();
  return { positiveLogProb: sum(positive), negativeLogProb: sum(negative) };
}

/** Tokens of each pair, 0 where one of its answers has none: such a pair does not count. */
export function tokensPerPair(tokensPerRow: readonly number[]): number[] {
  const count = tokensPerRow.length / 2;
  return tokensPerRow.slice(0, count).map((tokens, i) => {
    const other = tokensPerRow[count + i] as number;
    return Math.min(tokens, other) === 0 ? 0 : tokens + other;
  });
}

function halves(x: tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] {
  return tf.split(x, 2, 0) as [tf.Tensor2D, tf.Tensor2D];
}
