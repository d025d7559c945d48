import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import { disposeAll } from "../../tensors/index.js";
import { countedFactors } from "./counted-rows.js";
import type { MicroBatch } from "./micro-batch.js";
import type { TermPlan } from "./term-plan.js";

/**
 * What the host computes for a micro-batch, as tensors: with the batch's own they are all that is another from step to step.
 */
export interface GivenValues {
  /** Positions that the diagnostics look at, int32; see `paddedRows`. */
  readonly looked: tf.Tensor1D;
  /** By term, see {@link countedFactors}. */
  readonly factors: readonly tf.Tensor[];
  /** By term, its factor in the total. */
  readonly scales: readonly tf.Scalar[];
}

/** The given values of a step's micro-batches. Owns them. */
export interface StepValues extends Disposable {
  readonly parts: readonly GivenValues[];
}

export function stepValues(
  plans: readonly TermPlan[],
  microBatches: readonly MicroBatch[],
  looked: readonly (readonly number[])[],
): StepValues {
  const scales = plans.map(({ factor }) => tf.scalar(factor));
  const parts = microBatches.map(({ batch }, index) => ({
    looked: tf.tensor1d([...(looked[index] as readonly number[])], "int32"),
    factors: plans.map(({ term, rows }) => countedFactors(rows, index, batch, term.definition.per)),
    scales,
  }));
  const dispose = () => {
    disposeAll(scales);
    for (const { looked: positions, factors } of parts) disposeAll([positions, ...factors]);
  };
  return { parts, [Symbol.dispose]: dispose };
}

/** Every tensor of a micro-batch that its values are in. */
export function tensorsOf(
  { inputIds, labels, attentionMask, completionMask, positionIds, firstKeys }: Batch,
  { looked, factors, scales }: GivenValues,
): tf.Tensor[] {
  const placed = [positionIds, firstKeys].filter((tensor) => tensor !== undefined);
  const ofBatch = [inputIds, labels, attentionMask, completionMask, ...placed];
  return [...ofBatch, looked, ...factors, ...scales];
}
