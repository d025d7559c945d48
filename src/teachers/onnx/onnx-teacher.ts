import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import { sampleFrom } from "../../rollouts/index.js";
import { hostLogits, logitScores } from "../logit-scores.js";
import {
  checkDistributionOptions,
  type DistributionOptions,
  drawsOf,
  logitSignals,
} from "../logit-signals.js";
import type { CompleteOptions, Teacher } from "../teacher.js";
import type { TokenRows } from "./decoder-feeds.js";
import type { HostLogits, OnnxDecoder } from "./onnx-decoder.js";
import { onnxSource } from "./onnx-source.js";

export interface OnnxTeacherOptions extends DistributionOptions {
  readonly maxPositions?: number | undefined;
}

/**
 * A decoder in an ONNX runtime as teacher. Every sequence of a batch is a row of its own there, padded
 * on the right, also where several share a row of the batch. Takes ownership of the decoder.
 *
 * @throws PupilError if asked for both the likeliest tokens and draws, or for more than there are
 */
export function onnxTeacher(
  decoder: OnnxDecoder,
  name: string,
  { maxPositions, ...options }: OnnxTeacherOptions = {},
): Teacher {
  const { vocabSize } = decoder;
  checkDistributionOptions(options, vocabSize);
  const dispose = () => decoder.dispose();
  return {
    name,
    vocabSize,
    ...(maxPositions === undefined ? {} : { maxPositions }),
    provides: logitSignals(options),
    ...drawsOf(options),
    score: async (batch, needs, context) => {
      const given = await decoder.logits(sequenceRows(batch));
      const values = placeLogits(batch, given, vocabSize);
      const { size: B, sequenceLength: T } = batch;
      const known = hostLogits(() => tf.tensor3d(values, [B, T, vocabSize]));
      return logitScores(known, batch, needs, options, context);
    },
    ...(decoder.hasCache && {
      complete: (prompts: readonly (readonly number[])[], how: CompleteOptions) =>
        sampleFrom(onnxSource(decoder, maxPositions), { prompts, ...how }),
    }),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** The sequences of a batch without their last ids, padded on the right. */
function sequenceRows({ sequences }: Batch): TokenRows {
  const batch = sequences.length;
  const length = Math.max(1, ...sequences.map(({ ids }) => ids.length - 1));
  const size = batch * length;
  const [ids, mask, positions] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  for (const [i, sequence] of sequences.entries()) {
    const real = sequence.ids.slice(0, -1);
    ids.set(real, i * length);
    mask.fill(1, i * length, i * length + real.length);
    for (let t = 0; t < real.length; t++) positions[i * length + t] = t;
  }
  return { batch, length, ids, mask, positions };
}

/** Logits of the sequences at their places in the batch, 0 where there is no token: `[B, T, V]`. */
function placeLogits(
  { sequences, size: B, sequenceLength: T }: Batch,
  { values, length }: HostLogits,
  V: number,
): Float32Array {
  const placed = new Float32Array(B * T * V);
  for (const [i, { ids, row, start }] of sequences.entries()) {
    const first = i * length * V;
    const real = values.subarray(first, first + (ids.length - 1) * V);
    placed.set(real, (row * T + start) * V);
  }
  return placed;
}
