import * as tf from "@tensorflow/tfjs-core";
import { makeBatch } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import { tokenLogProbs } from "../../ops/index.js";
import { readValues } from "../../tensors/index.js";
import type { TokenPair } from "../pairs.js";

/** Log-probabilities of a completion under a student: Σ and mean over its learned tokens. */
interface AnswerLogProb {
  readonly sum: number;
  readonly mean: number;
}

/**
 * How a student likes both answers of held-out pairs, in nats; pairs with an answer of which nothing is
 * learned do not count.
 *
 * - `positiveLogProb`, `negativeLogProb`: mean over the pairs of the mean log-probability of a token of the preferred
 *   and of the rejected answer. Both falling together is what a too heavy negative weight does (REDI);
 * - `pairAccuracy`: share of pairs whose preferred answer has the higher mean (SimPO and REDI compare
 *   these), equal ones count half; `pairMargin`: the mean difference;
 * - `pairSumAccuracy`, `pairSumMargin`: the same of sums over the tokens, which DPO compares and which
 *   favour short answers.
 *
 * `{}` where there is no pair.
 */
export async function evaluatePairs(
  student: LanguageModel,
  pairs: readonly TokenPair[],
  { batchSize, padId }: { readonly batchSize: number; readonly padId: number },
): Promise<Record<string, number>> {
  const answers: { positive: AnswerLogProb; negative: AnswerLogProb }[] = [];
  for (let start = 0; start < pairs.length; start += batchSize) {
    const part = pairs.slice(start, start + batchSize);
    using batch = makeBatch(
      [...part.map(({ positive }) => positive), ...part.map(({ negative }) => negative)],
      padId,
    );
    const sums = tf.tidy(() => {
      const logProbs = tokenLogProbs(student.forward(batch), batch.labels);
      const { completionMask: mask } = batch;
      return tf.where(mask.greater(0), logProbs, tf.zerosLike(logProbs)).sum<tf.Tensor1D>(1);
    });
    const values = await readValues(sums, "float32");
    const logProb = (row: number): AnswerLogProb | undefined => {
      const tokens = batch.tokensPerRow[row] as number;
      const sum = values[row] as number;
      return tokens === 0 ? undefined : { sum, mean: sum / tokens };
    };
    for (const i of part.keys()) {
      const [positive, negative] = [logProb(i), logProb(part.length + i)];
      if (positive !== undefined && negative !== undefined) answers.push({ positive, negative });
    }
  }
  if (answers.length === 0) return {};
  const mean = (of: (pair: (typeof answers)[number]) => number) =>
    answers.reduce((sum, pair) => sum + of(pair), 0) / answers.length;
  const margins = (by: keyof AnswerLogProb) =>
    answers.map(({ positive, negative }) => positive[by] - negative[by]);
  const [ofMeans, ofSums] = [margins("mean"), margins("sum")];
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const accuracy = (values: readonly number[]) =>
    average(values.map((margin) => (Math.sign(margin) + 1) / 2));
  return {
    positiveLogProb: mean(({ positive }) => positive.mean),
    negativeLogProb: mean(({ negative }) => negative.mean),
    pairAccuracy: accuracy(ofMeans),
    pairMargin: average(ofMeans),
    pairSumAccuracy: accuracy(ofSums),
    pairSumMargin: average(ofSums),
  };
}
