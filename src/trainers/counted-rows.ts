import { lossInputFacts, type LossTerm, rowWeights } from "../losses/index.js";
import type { Batch } from "../data/index.js";

/** How the rows of a step's micro-batches enter the mean of one term. */
export interface CountedRows {
  /** Per micro-batch, the factor of every row. */
  readonly weights: readonly (readonly number[])[];
  /** What the sum over the whole step is divided by. */
  readonly count: number;
}

/**
 * The rows that a term counts: those that have every input it reads. Labels are ground truth only
 * in rows of the data; log-probabilities of sampling exist only in rows that the student sampled.
 */
export function countedRows(
  { definition, config }: LossTerm,
  microBatches: readonly { readonly batch: Batch; readonly onPolicyRows: number }[],
): CountedRows {
  const aggregation = definition.aggregation?.(config) ?? "token";
  const sources = definition.needs.map((need) => lossInputFacts(need).rows);
  const parts = microBatches.map(({ batch, onPolicyRows }) => {
    const tokens = batch.tokensPerRow.map((count, row) => {
      const isRollout = row < onPolicyRows;
      const has = !sources.includes(isRollout ? "data" : "rollouts");
      return has ? count : 0;
    });
    return rowWeights(definition.per, aggregation, tokens);
  });
  return {
    weights: parts.map(({ weights }) => weights),
    count: parts.reduce((sum, { count }) => sum + count, 0),
  };
}
