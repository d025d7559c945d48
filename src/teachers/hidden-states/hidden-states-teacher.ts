import * as tf from "@tensorflow/tfjs-core";
import { type Batch, learnedPositions, type TokenSequence } from "../../data/index.js";
import { fitToVocabulary } from "../../models/index.js";
import { linear } from "../../ops/index.js";
import { HostValues, holdAsHalves, keepTensor } from "../../tensors/index.js";
import { logitScores } from "../logit-scores.js";
import {
  checkDistributionOptions,
  type DistributionOptions,
  drawsOf,
  logitSignals,
} from "../logit-signals.js";
import type { HeadValues } from "../recorded/index.js";
import type { Teacher } from "../teacher.js";

/** Where hidden states come from; the teacher is as limited as they are. */
export interface HiddenStatesSource
  extends Pick<Teacher, "name" | "maxPositions" | "scoresOnly" | "knows" | "remedyForUnknownRows"> {
  /**
   * Of every sequence `[L, D]`, row by row: what the head reads where it predicts each of the L
   * learned ids.
   */
  states(sequences: readonly TokenSequence[]): Promise<Float32Array[]>;
}

export interface HiddenStatesTeacherOptions extends DistributionOptions {
  /** Rows of the student's head, where it has more or fewer of padding. Default: the head's. */
  readonly vocabSize?: number | undefined;
}

/**
 * A teacher that sends what its head reads, D numbers per token, and not what it says, V of them: the
 * head is applied here, so that the whole distribution is known. A step whose loss needs no logits
 * `[B, T, V]` gets hidden states and head, and they are never made.
 *
 * @throws PupilError if asked for both the likeliest tokens and draws, or for more than there are
 */
export function hiddenStatesTeacher(
  source: HiddenStatesSource,
  { values, vocabSize: headRows, hiddenSize }: HeadValues,
  { vocabSize = headRows, ...options }: HiddenStatesTeacherOptions = {},
): Teacher {
  checkDistributionOptions(options, vocabSize);
  const rows = Math.min(headRows, vocabSize);
  const kept = values.subarray(0, rows * hiddenSize);
  const head = keepTensor(tf.tensor2d(kept, [rows, hiddenSize]));
  const { states, ...facts } = source;
  const dispose = () => head.dispose();
  let settled: Promise<unknown> | undefined;
  return {
    ...facts,
    vocabSize,
    provides: logitSignals(options),
    ...drawsOf(options),
    score: async (batch, needs, context) => {
      // Frozen, and the largest matrix that there is.
      settled ??= holdAsHalves(new Map([["the head", head]]), source.name);
      await settled;
      const given = await states(batch.sequences);
      const placed = new HostValues(() => ({ hidden: placeStates(batch, given, hiddenSize) }));
      const known = {
        logits: () => {
          const { hidden } = placed.tensors();
          return fitToVocabulary(linear(hidden, head) as tf.Tensor3D, vocabSize);
        },
        source: () => ({ by: head, how: `${vocabSize}`, reads: [placed.hold().hidden, head] }),
        dispose: () => placed.dispose(),
      };
      const isAllTheHead = rows === vocabSize && needs.every((need) => need === "teacherLogits");
      return {
        ...logitScores(known, batch, needs, options, context),
        ...(isAllTheHead ? { hidden: () => ({ ...placed.tensors(), head }) } : {}),
      };
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** States at their places in the batch, 0 where there are none: `[B, T, D]`. */
function placeStates(
  { sequences, size: B, sequenceLength: T }: Batch,
  states: readonly Float32Array[],
  D: number,
): tf.Tensor3D {
  const placed = new Float32Array(B * T * D);
  for (const [i, sequence] of sequences.entries()) {
    const positions = learnedPositions(sequence);
    const given = states[i] as Float32Array;
    if (given.length !== positions.length * D) {
      throw new Error(
        `Sequence ${i} needs ${positions.length} states of ${D} numbers, got ${given.length} numbers.`,
      );
    }
    const first = sequence.row * T + sequence.start;
    for (const [l, position] of positions.entries()) {
      placed.set(given.subarray(l * D, (l + 1) * D), (first + position - 1) * D);
    }
  }
  return tf.tensor3d(placed, [B, T, D]);
}
