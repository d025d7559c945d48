import * as tf from "@tensorflow/tfjs-core";
import { runKernel } from "../../tensors/index.js";
import type { WeightLayout } from "../layers/linear.js";
import type { RotaryFrequencies } from "./rotary-tables.js";

/**
 * A whole decoder for one token per row, in one kernel. It exists where kernels cost more to call than
 * to run, so only some backends have it ({@link hasTokenDecoder}); the others go layer by layer.
 */
export const decodeKernels = {
  pack: "PupilPackWeights",
  decode: "PupilDecodeToken",
  writeCache: "PupilWriteCache",
} as const;

/** Whether the current backend can do what this file is about. */
export function hasTokenDecoder(): boolean {
  return tf.getKernel(decodeKernels.decode, tf.getBackend()) !== undefined;
}

/** Linear layers with the same input, side by side, in the order in which a decoder reads them. */
export interface PackedWeights {
  readonly weight: tf.Tensor1D;
  readonly bias?: tf.Tensor1D;
}

/** A linear layer, or `columns` of its outputs from `start` on. */
export interface WeightPart {
  readonly weight: tf.Tensor2D;
  readonly bias?: tf.Tensor1D;
  readonly start?: number;
  readonly columns?: number;
}

export interface PackAttributes {
  readonly parts: readonly { readonly start: number; readonly columns: number }[];
  readonly weightLayout: WeightLayout;
  /** For two parts of one size: eight columns of the first, eight of the second, and so on. */
  readonly interleaved: boolean;
}

/** Copies weights into the layout of {@link decodeToken}; later changes do not reach the copy. */
export function packWeights(
  parts: readonly WeightPart[],
  weightLayout: WeightLayout,
  interleaved = false,
): PackedWeights {
  const inputs: Record<string, tf.Tensor> = {};
  const columns = parts.map(({ weight, bias, start = 0, columns }, i) => {
    inputs[`weight${i}`] = weight;
    if (bias) inputs[`bias${i}`] = bias;
    const all = weight.shape[weightLayout === "out-in" ? 0 : 1];
    return { start, columns: columns ?? all - start };
  });
  const attributes: PackAttributes = { parts: columns, weightLayout, interleaved };
  const [weight, bias] = runKernel(decodeKernels.pack, inputs, attributes) as tf.Tensor1D[];
  return { weight: weight as tf.Tensor1D, ...(bias && { bias }) };
}

/** Weights of one block: norms as they are, linear layers packed. */
export interface BlockWeights {
  readonly attentionNorm: NormWeights;
  /** Query, key and value. */
  readonly attentionInputs: PackedWeights;
  /** RMS norms of each head of query and key, before they are turned; both or neither. */
  readonly queryNorm?: NormWeights;
  readonly keyNorm?: NormWeights;
  readonly attentionOutput: PackedWeights;
  readonly mlpNorm: NormWeights;
  /** Gate and up interleaved, or up alone. */
  readonly mlpInputs: PackedWeights;
  readonly mlpOutput: PackedWeights;
}

/** A norm with a bias is a layer norm, without one an RMS norm. */
export interface NormWeights {
  readonly weight: tf.Tensor1D;
  readonly bias?: tf.Tensor1D;
}

export interface DecoderWeights {
  readonly tokenEmbedding: tf.Tensor2D;
  readonly positionEmbedding?: tf.Tensor2D;
  readonly blocks: readonly BlockWeights[];
  readonly finalNorm: NormWeights;
  readonly head: PackedWeights;
}

export interface DecodeAttributes {
  readonly numHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly epsilon: number;
  /** One list for every row; absent with learned positions. */
  readonly rotary?: RotaryFrequencies;
  /** By layer, how many keys a token sees, itself included; undefined: all. */
  readonly slidingWindows?: readonly (number | undefined)[];
  readonly gated: boolean;
  readonly activation: "silu" | "gelu-tanh" | "gelu-erf";
}

export interface DecodeInputs {
  /** `[B, 1]` int32. */
  readonly inputIds: tf.Tensor2D;
  /** `[B, 1]` int32. */
  readonly positionIds: tf.Tensor2D;
  /** `[B, S]`, S counting the new position; without it every position is real. */
  readonly attentionMask?: tf.Tensor2D;
  /** From {@link namedWeights}. */
  readonly weights: NamedWeights;
  /** By layer, `[B, capacity, Hkv, hd]`, filled up to S − 1. */
  readonly keys: readonly tf.Tensor4D[];
  readonly values: readonly tf.Tensor4D[];
}

/** What the kernel gets beside ids, positions and mask. */
export interface DecodeCall
  extends DecodeAttributes,
    Pick<DecodeInputs, "weights" | "keys" | "values"> {
  readonly numKeys: number;
}

/** Weights by the names under which the kernel reads them. */
export interface NamedWeights {
  readonly numLayers: number;
  readonly tensors: Readonly<Record<string, tf.Tensor>>;
}

/** To be called once for a decoder: a token's call takes little longer than naming all of them. */
export function namedWeights(weights: DecoderWeights): NamedWeights {
  const tensors: Record<string, tf.Tensor> = { tokenEmbedding: weights.tokenEmbedding };
  const add = (name: string, parts: { weight: tf.Tensor; bias?: tf.Tensor }) => {
    tensors[`${name}.weight`] = parts.weight;
    if (parts.bias) tensors[`${name}.bias`] = parts.bias;
  };
  if (weights.positionEmbedding) tensors["positionEmbedding"] = weights.positionEmbedding;
  add("finalNorm", weights.finalNorm);
  add("head", weights.head);
  for (const [layer, block] of weights.blocks.entries()) {
    for (const [name, parts] of Object.entries(block)) {
      add(`${layer}.${name}`, parts as NormWeights);
    }
  }
  return { numLayers: weights.blocks.length, tensors };
}

/**
 * Logits `[B, 1, V]` of one new token per row; writes its keys and values at position S − 1 of the
 * caches, **in place**.
 */
export function decodeToken(
  { inputIds, positionIds, attentionMask, weights, keys, values }: DecodeInputs,
  numCached: number,
  attributes: DecodeAttributes,
): tf.Tensor3D {
  const inputs = { inputIds, positionIds, ...(attentionMask && { attentionMask }) };
  // What stays for the whole rollout goes as it is: naming it among the inputs costs as much as a layer.
  const all: DecodeCall = { ...attributes, weights, keys, values, numKeys: numCached + 1 };
  return runKernel(decodeKernels.decode, inputs, all)[0] as tf.Tensor3D;
}

/** Writes `[B, T, Hkv, hd]` to positions `start`… of a cache `[B, capacity, Hkv, hd]`, **in place**. */
export function writeCache(cache: tf.Tensor4D, values: tf.Tensor4D, start: number): void {
  runKernel(decodeKernels.writeCache, { cache, values }, { start });
}
