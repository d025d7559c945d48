import type * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import type { LossTerm } from "../../losses/index.js";
import type { LanguageModel } from "../../models/index.js";
import {
  type HiddenLossTerm,
  type HiddenStates,
  lossesFromHidden,
  type LossesFromHiddenInputs,
  type RowLoss,
} from "../../ops/index.js";
import type { TeacherScores } from "../../teachers/index.js";
import type { MicroBatch } from "./micro-batch.js";

/**
 * Logits `[B, T, V]` of more than 16 MiB are not made where the loss can do without. Smaller ones are
 * cheap, and a loss on logits is what every loss has.
 */
export const defaultLargestLogitsBytes = 16 * 2 ** 20;

/** A loss as row losses, its rows' weights, and its factor in the total. */
export interface RowLossTerm {
  readonly losses: readonly RowLoss[];
  readonly rowWeights: tf.Tensor2D;
  readonly factor: number | tf.Scalar;
}

/** A model whose logits are `hiddenStates · headWeightᵀ`, by its hidden states. */
export type HiddenModel = (batch: Batch) => HiddenStates;

export function hiddenModel(model: LanguageModel): HiddenModel | undefined {
  const { headWeight: head } = model;
  if (model.hiddenStates === undefined || head === undefined) return undefined;
  return (batch) => ({ hidden: model.hiddenStates?.(batch) as tf.Tensor3D, head });
}

/** A loss that can do without logits. */
export interface RowLosses {
  readonly student: HiddenModel;
  /** By term. */
  readonly losses: readonly (readonly RowLoss[])[];
}

/**
 * The terms as row losses, if the step should be computed from hidden states: all of them are such
 * losses, the student has hidden states, and its logits would be large.
 */
export function asRowLosses(
  model: LanguageModel,
  terms: readonly LossTerm[],
  batch: Batch,
  largestLogitsBytes = defaultLargestLogitsBytes,
): RowLosses | undefined {
  const bytes = 4 * batch.size * batch.sequenceLength * model.config.vocabSize;
  const student = hiddenModel(model);
  if (bytes <= largestLogitsBytes || student === undefined) return undefined;
  const losses = terms.map(({ definition, config }) => definition.rowLosses?.(config));
  return losses.every((loss) => loss !== undefined) ? { student, losses } : undefined;
}

/** The same of a micro-batch: row losses know neither a reference nor who wrote a token. */
export function rowLossesOf(
  student: LanguageModel,
  terms: readonly LossTerm[],
  { batch, written }: Pick<MicroBatch, "batch" | "written">,
  largestLogitsBytes?: number,
): RowLosses | undefined {
  return written === undefined ? asRowLosses(student, terms, batch, largestLogitsBytes) : undefined;
}

/** What the teacher gives to row losses: hidden states where it can, else its logits. */
export function teacherOfRows(
  scores: TeacherScores | undefined,
): Pick<LossesFromHiddenInputs, "teacher"> {
  const hidden = scores?.hidden?.();
  if (hidden) return { teacher: hidden };
  const { teacherLogits } = scores?.tensors() ?? {};
  return teacherLogits ? { teacher: { logits: teacherLogits } } : {};
}

/** `total` with its gradient, and the sum of every term before its factor, without one. */
export function sumRowLosses(
  inputs: LossesFromHiddenInputs,
  terms: readonly RowLossTerm[],
): { total: tf.Scalar; sums: tf.Scalar[] } {
  const parts = terms.flatMap(({ losses, rowWeights, factor }): HiddenLossTerm[] =>
    losses.map((loss) => ({ loss, rowWeights, factor })),
  );
  const { total, sums } = lossesFromHidden(inputs, parts);
  let start = 0;
  const ofTerms = terms.map(({ losses }) => {
    const sum = sums.slice(start, losses.length).sum<tf.Scalar>();
    start += losses.length;
    return sum;
  });
  return { total, sums: ofTerms };
}
