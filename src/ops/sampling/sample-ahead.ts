import type * as tf from "@tensorflow/tfjs-core";
import { runKernel } from "../../tensors/index.js";
import type { DecodeCall, DecodeInputs } from "../attention/decode-token.js";
import type { SamplingSettings } from "./sample-tokens.js";

/** Kernel of {@link sampleAhead}; only backends with a token decoder have it. */
export const sampleAheadKernel = "PupilSampleAhead";

/** How several tokens in a row are sampled. */
export interface AheadSettings extends SamplingSettings {
  readonly steps: number;
  /** Any of these ends a row: from there on it is fed `padId`, which its mask hides. */
  readonly endIds: readonly number[];
  readonly padId: number;
}

export interface SampleAheadCall extends DecodeCall, AheadSettings {}

/** As for one token; the mask hides the new column of rows that have ended before. */
export interface SampleAheadInputs extends DecodeInputs {
  readonly attentionMask: tf.Tensor2D;
  /**
   * `[B, 1, V]`, what the cached columns say of the first token: it is then sampled from them and nothing is decoded for it.
   * Ids and positions `[B, T]` are of those columns, of which the last counts, and the mask has no new one.
   */
  readonly logits?: tf.Tensor3D;
  /** `[steps, B]` in (0, 1), not read by a greedy choice. */
  readonly uniforms?: tf.Tensor2D;
}

/**
 * `steps` times `decodeToken`, `sampleTokens`, and the sampled token fed again, in one kernel: between
 * two tokens there is hardly more than the arithmetic. Writes into the caches **in place**, which need
 * room for all that is fed.
 *
 * @returns `[steps, 2, B]`: ids and log-probabilities as of `sampleTokens`. What follows a row's end id,
 *   and a log-probability that is not finite, means nothing. Undefined for a vocabulary that is too
 *   large for the kernel
 */
export function sampleAhead(
  inputs: SampleAheadInputs,
  numCached: number,
  attributes: Omit<SampleAheadCall, "weights" | "keys" | "values" | "numKeys">,
): tf.Tensor3D | undefined {
  const { inputIds, positionIds, attentionMask, uniforms, logits } = inputs;
  const { weights, keys, values } = inputs;
  const given = { ...(uniforms && { uniforms }), ...(logits && { logits }) };
  const read = { inputIds, positionIds, attentionMask, ...given };
  const numKeys = logits ? numCached : numCached + 1;
  const all: SampleAheadCall = { ...attributes, weights, keys, values, numKeys };
  return runKernel(sampleAheadKernel, read, all)[0] as tf.Tensor3D | undefined;
}
