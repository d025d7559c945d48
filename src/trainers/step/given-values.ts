import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import type { StateNumbers } from "../../losses/index.js";
import { disposeAll } from "../../tensors/index.js";
import type { RoutedPositions } from "../diagnostics/routed.js";
import { countedFactors, factorsByPosition } from "./counted-rows.js";
import { type ListTensors, listTensors } from "./list-inputs.js";
import type { MicroBatch } from "./micro-batch.js";
import type { TermPlan } from "./term-plan.js";
import { placeCompletions, writtenMask } from "./written-tokens.js";

/** Positions of a micro-batch that the diagnostics look at. */
export interface LookedPositions {
  /** See `paddedRows`. */
  readonly all: readonly number[];
  /** Those that each of several teachers scored, by its name. */
  readonly routed: RoutedPositions;
}

/** The same as tensors, int32. */
interface LookedRows {
  readonly all: tf.Tensor1D;
  readonly routed: ReadonlyMap<string, tf.Tensor1D>;
}

/**
 * What the host computes for a micro-batch, as tensors: with the batch's own they are all that is another from step to step.
 */
export interface GivenValues {
  readonly looked: LookedRows;
  /** By term, see {@link countedFactors}. */
  readonly factors: readonly tf.Tensor[];
  /** By term, its factor in the total. */
  readonly scales: readonly tf.Scalar[];
  /** By term, what it reads of its state. */
  readonly numbers: readonly (StateNumbers | undefined)[];
  /** Which positions hold tokens that the student sampled, where that is asked for; broadcast to `[B, T]`. */
  readonly sampled?: tf.Tensor2D;
  /** By term, where several wrote a row: see {@link writtenMask}. */
  readonly written?: readonly tf.Tensor2D[];
  readonly lists?: ListTensors;
}

/** The given values of a step's micro-batches. Owns them. */
export interface StepValues extends Disposable {
  readonly parts: readonly GivenValues[];
}

export function stepValues(
  plans: readonly TermPlan[],
  microBatches: readonly MicroBatch[],
  looked: readonly LookedPositions[],
): StepValues {
  const scales = plans.map(({ factor }) => tf.scalar(factor));
  const numbers = plans.map(({ numbers: own }) => {
    const scalars = Object.entries(own ?? {}).map(([name, value]) => [name, tf.scalar(value)]);
    return own && (Object.fromEntries(scalars) as StateNumbers);
  });
  const parts = microBatches.map((microBatch, index): GivenValues => {
    const { batch } = microBatch;
    return {
      looked: lookedRows(looked[index] as LookedPositions),
      factors: plans.map(({ term, rows }) =>
        countedFactors(rows, index, batch, term.definition.per),
      ),
      scales,
      numbers,
      ...writtenValues(plans, microBatch),
      ...listValues(plans, microBatch),
    };
  });
  return { parts, [Symbol.dispose]: () => disposeAll(new Set(parts.flatMap(valuesIn))) };
}

function lookedRows({ all, routed }: LookedPositions): LookedRows {
  const positions = (list: readonly number[]) => tf.tensor1d([...list], "int32");
  return {
    all: positions(all),
    routed: new Map([...routed].map(([teacher, list]) => [teacher, positions(list)])),
  };
}

function writtenValues(
  plans: readonly TermPlan[],
  { batch, onPolicyRows, written, rollouts }: MicroBatch,
): Pick<GivenValues, "sampled" | "written"> {
  if (written !== undefined) {
    return {
      sampled: placeCompletions(batch, written.own),
      written: plans.map(({ term }) => writtenMask(term, written, batch)),
    };
  }
  if (rollouts === undefined) return {};
  const isOwn = batch.sequences.map((_, i) => (i < onPolicyRows ? 1 : 0));
  return { sampled: factorsByPosition(batch, isOwn) };
}

function listValues(
  plans: readonly TermPlan[],
  { batch, lists }: MicroBatch,
): Pick<GivenValues, "lists"> {
  if (lists === undefined) return {};
  const has = lists.scores.teacher === undefined ? "grades" : "teacher";
  const which = plans.map(({ term }) => term.scores ?? has);
  return { lists: listTensors(lists, batch.size, which) };
}

function valuesIn({ looked, factors, scales, numbers, ...others }: GivenValues): tf.Tensor[] {
  const { sampled, written, lists } = others;
  return [
    ...[looked.all, ...looked.routed.values(), ...factors, ...scales],
    ...numbers.flatMap((own) => Object.values(own ?? {})),
    ...(sampled ? [sampled] : []),
    ...(written ?? []),
    ...(lists ? [lists.spread, lists.listMask, ...lists.scores] : []),
  ];
}

/** Every tensor of a micro-batch that its values are in. */
export function tensorsOf(batch: Batch, given: GivenValues): tf.Tensor[] {
  return [...batch.tensors, ...valuesIn(given)];
}
