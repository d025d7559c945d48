import * as tf from "@tensorflow/tfjs-core";
import { type Batch, isLearned, type PlacedSequence } from "../../data/index.js";
import { type LossDefinition, lossInputFacts } from "../../losses/index.js";
import type { RowChoice } from "../../rollouts/index.js";
import type { StepTerm } from "./step-term.js";

/** Who wrote which tokens of the completions of a batch, and which of them a term may count. */
export interface WrittenTokens {
  /** For each sequence and token of its completion 1 where the student wrote it. */
  readonly own: readonly (readonly number[])[];
  /** For each sequence whether a choice has it. */
  readonly chosen: Readonly<Record<RowChoice, readonly boolean[]>>;
  /** Sequences that do not count where advantages are read. */
  readonly isLeftOut: readonly boolean[];
}

/** Which tokens of a completion have a value of a term. */
type Counted = "own" | "guided" | "all";

/**
 * Which tokens a loss can be about where several wrote: labels are ground truth only in what others
 * wrote, and samples are the student's own. A divergence from logits holds at every token.
 */
function tokensOf({ needs }: LossDefinition): Counted {
  if (needs.includes("guidedAdvantages")) return "guided";
  const sources = needs.map((need) => lossInputFacts(need).rows);
  if (sources.includes("data")) return "guided";
  return sources.includes("rollouts") ? "own" : "all";
}

/**
 * Tokens of sequence `i` that a term's mean is over. The two policy gradients share theirs, all
 * learned tokens, so that they add up to one mean.
 */
export function writtenCount(
  { definition, rows = "all" }: StepTerm,
  { own, chosen, isLeftOut }: WrittenTokens,
  batch: Batch,
  i: number,
): number {
  if (chosen[rows][i] !== true) return 0;
  const { needs } = definition;
  const readsAdvantages = needs.some((n) => n === "advantages" || n === "guidedAdvantages");
  if (readsAdvantages) return isLeftOut[i] === true ? 0 : (batch.tokensPerSequence[i] as number);
  const sequence = batch.sequences[i] as PlacedSequence;
  const { completionStart } = sequence;
  const which = tokensOf(definition);
  const counts = (value: number, t: number) =>
    isLearned(sequence, completionStart + t) && hasValue(which, value);
  return (own[i] as readonly number[]).filter(counts).length;
}

const hasValue = (which: Counted, own: number) =>
  which === "all" || (own === 1) === (which === "own");

/** 1 where a term has a value, `[B, T]`. */
export function writtenMask(
  { definition }: StepTerm,
  { own }: WrittenTokens,
  batch: Batch,
): tf.Tensor2D {
  const which = tokensOf(definition);
  return placeCompletions(
    batch,
    own.map((tokens) => tokens.map((value) => (hasValue(which, value) ? 1 : 0))),
  );
}

/**
 * Numbers of completion tokens at the positions that predict them, `[B, T]`, 0 elsewhere.
 *
 * @param values for each sequence of the batch and token of its completion
 */
export function placeCompletions(
  { size, sequenceLength: T, sequences }: Batch,
  values: readonly (readonly number[])[],
): tf.Tensor2D {
  const placed = new Float32Array(size * T);
  for (const [i, { row, start, completionStart }] of sequences.entries()) {
    // Position t predicts token t + 1 of the sequence.
    placed.set(values[i] as readonly number[], row * T + start + completionStart - 1);
  }
  return tf.tensor2d(placed, [size, T]);
}
