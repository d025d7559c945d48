import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import { lossInputFacts, rowWeights, type ValuesPer } from "../../losses/index.js";
import type { MicroBatch } from "./micro-batch.js";
import { tokensPerPair } from "./pair-inputs.js";
import type { StepTerm } from "./step-term.js";
import { writtenCount } from "./written-tokens.js";

/** How the examples of a step's micro-batches enter the mean of one term. */
export interface CountedRows {
  /** Per micro-batch, the factor of every sequence: of every row, unless rows are packed. */
  readonly weights: readonly (readonly number[])[];
  /** What the sum over the whole step is divided by. */
  readonly count: number;
}

/**
 * The rows that a term counts: those that have every input it reads. Labels are ground truth only
 * in rows of the data; log-probabilities of sampling exist only in rows that the student sampled.
 * Where several wrote a row, {@link writtenCount} says what counts.
 */
export function countedRows(
  term: StepTerm,
  microBatches: readonly Pick<
    MicroBatch,
    "batch" | "onPolicyRows" | "isPairs" | "lists" | "written"
  >[],
): CountedRows {
  const { definition, config } = term;
  const aggregation = definition.aggregation?.(config) ?? "token";
  const sources = definition.needs.map((need) => lossInputFacts(need).rows);
  const parts = microBatches.map(({ batch, onPolicyRows, isPairs, lists, written }) => {
    const perExample = isPairs
      ? tokensPerPair(batch.tokensPerSequence)
      : (lists?.sizes ?? batch.tokensPerSequence);
    const tokens = perExample.map((count, i) => {
      if (written !== undefined) return writtenCount(term, written, batch, i);
      const isRollout = i < onPolicyRows;
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

/**
 * The factors of a micro-batch's rows as a tensor: for values per token of all its sequences at their positions, `[B, 1]`
 * or `[B, T]`, for values per row `[B]`.
 */
export function countedFactors(
  { weights }: CountedRows,
  index: number,
  batch: Batch,
  per: ValuesPer,
): tf.Tensor {
  const factors = weights[index] as readonly number[];
  if (per === "token") return factorsByPosition(batch, factors);
  if (batch.isPacked) throw new Error("A packed row is no example: it cannot have one value.");
  return tf.tensor1d([...factors]);
}

/**
 * What one micro-batch's values of a term are multiplied with before they are summed: a
 * mask `[B, T]` for values per token, the factors themselves `[B]` for values per row.
 *
 * @param factors {@link countedFactors}
 */
export function countedWeights(factors: tf.Tensor, batch: Batch, per: ValuesPer): tf.Tensor {
  return per === "token" ? batch.completionMask.mul(factors) : factors;
}

/** The same, and 0 where a term has no value because of who wrote a token (see `writtenMask`). */
export function termWeights(
  { definition: { per } }: StepTerm,
  factors: tf.Tensor,
  batch: Batch,
  written: tf.Tensor2D | undefined,
): tf.Tensor {
  const weights = countedWeights(factors, batch, per);
  return written === undefined || per === "row" ? weights : weights.mul(written);
}

/** A factor for each of the batch's sequences at their positions: `[B, 1]`, or `[B, T]` of packed rows. */
export function factorsByPosition(batch: Batch, factors: readonly number[]): tf.Tensor2D {
  const { size, sequenceLength: T } = batch;
  if (!batch.isPacked) return tf.tensor2d([...factors], [size, 1]);
  const ofPositions = new Float32Array(size * T);
  for (const [i, { ids, row, start }] of batch.sequences.entries()) {
    const first = row * T + start;
    ofPositions.fill(factors[i] as number, first, first + ids.length - 1);
  }
  return tf.tensor2d(ofPositions, [size, T]);
}
