import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { type ModelConfig, parameterGroups } from "../../models/index.js";
import { deviceLimits } from "../runs/device-limits.js";

const float = 4;

/** Bytes of a model's weights on the device, in float32. */
export function weightBytes(config: ModelConfig): number {
  const groups: readonly number[] = Object.values(parameterGroups(config));
  return float * groups.reduce((sum, count) => sum + count, 0);
}

/** Bytes of the largest of its matrices. */
export function largestMatrixBytes(config: ModelConfig): number {
  return float * config.hiddenSize * Math.max(config.vocabSize, config.intermediateSize);
}

/**
 * Refuses a model whose weights alone the backend cannot hold, before any of them is read.
 *
 * @param source of the model, for the message
 * @throws PupilError with what it needs and what there is
 */
export function requireModelFits(
  config: ModelConfig,
  source: string,
  { total = Infinity, tensor = Infinity } = deviceLimits(),
): void {
  const matrix = largestMatrixBytes(config);
  const weights = weightBytes(config);
  if (matrix <= tensor && weights <= total) return;
  const [what, least, most] =
    matrix > tensor
      ? ["tensor of the model needs at least", matrix, tensor]
      : ["model needs at least", weights, total];
  throw new PupilError(
    `A ${what} ${gibibytes(least)} of memory, and the ${tf.getBackend()} backend holds at most ${gibibytes(most)}.`,
    {
      field: source,
      remedy: "Use a smaller model, or another backend (pupil doctor shows what there is).",
    },
  );
}

export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}
