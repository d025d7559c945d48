import * as tf from "@tensorflow/tfjs-core";
import { rotaryTables } from "../../ops/index.js";
import { type RopeConfig, ropeFrequencies, ropeLengths } from "./rope-scaling.js";

/** Cosines and sines of angles, both `[B, T, hd/2]`. */
export interface RotaryTables {
  readonly cos: tf.Tensor3D;
  readonly sin: tf.Tensor3D;
}

/**
 * Rotary tables for positions `[B, T]`. Where frequencies depend on the length of the sequence, it is
 * each row's own (its last position + 1): what a row computes does not depend on the others.
 */
export function rotaryPositions(config: RopeConfig, positionIds: tf.Tensor2D): RotaryTables {
  const lengths = ropeLengths(config);
  if (lengths === undefined) return rotaryTables(positionIds, ropeFrequencies(config));
  const frequencies = ropeFrequencies(config, positionIds.shape[1]);
  return tf.tidy(() => {
    const length = positionIds.toFloat().max(1).add(1);
    const last = frequencies.inverse.length - 1;
    const choice = length.sub(lengths.from).clipByValue(0, last).toInt() as tf.Tensor1D;
    return rotaryTables(positionIds, frequencies, choice);
  });
}
