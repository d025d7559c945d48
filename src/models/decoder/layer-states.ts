import type * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { attentionProbabilities } from "../../ops/index.js";
import type { ModelConfig } from "./config.js";

/** What can be seen of one layer of a decoder. Layers count from 1. */
export interface LayerStates {
  /**
   * `[B, T, D]`, the residual stream behind the layer. Layer 0 is the embedding; the last layer's is
   * behind the final norm, as in Hugging Face's `output_hidden_states`.
   */
  readonly hiddenStates: tf.Tensor3D;
  /** `[B, H, T, T]`, probabilities; a query that sees nothing has zeros. */
  readonly attentions: tf.Tensor4D;
  /** `[B, Hkv, T, hd]`, as they are cached: behind norm and rotary encoding. */
  readonly keys: tf.Tensor4D;
  /** `[B, Hkv, T, hd]`. */
  readonly values: tf.Tensor4D;
}
export type LayerState = keyof LayerStates;

/** The layers that are asked for. */
export type LayerRequest = { readonly [S in LayerState]?: readonly number[] };

/** What was asked for, by layer. */
export type LayerResults = {
  readonly [S in LayerState]?: Readonly<Record<number, LayerStates[S]>>;
};

/** The sizes that decide whether the layers of two models can be compared. */
export type LayerSizes = Pick<
  ModelConfig,
  "numLayers" | "hiddenSize" | "numHeads" | "numKeyValueHeads" | "headDim"
>;

/** What attention computes with, `[B, T, heads, hd]`. */
interface AttentionParts {
  readonly query: tf.Tensor4D;
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
  readonly keyMask: tf.Tensor2D | undefined;
  readonly firstKeys: tf.Tensor2D | undefined;
}

/** Is shown the intermediate results of a forward pass, and keeps what was asked for. */
export interface LayerObserver {
  readonly results: LayerResults;
  residual(layer: number, x: tf.Tensor3D): void;
  attention(layer: number, parts: AttentionParts): void;
}

export function observeLayers(wanted: LayerRequest): LayerObserver {
  const results: { [S in LayerState]: Record<number, LayerStates[S]> } = {
    ...{ hiddenStates: {}, attentions: {}, keys: {}, values: {} },
  };
  const keep = <S extends LayerState>(state: S, layer: number, make: () => LayerStates[S]) => {
    if (wanted[state]?.includes(layer)) results[state][layer] = make();
  };
  const headsFirst = (x: tf.Tensor4D) => x.transpose<tf.Tensor4D>([0, 2, 1, 3]);
  return {
    results,
    residual: (layer, x) => keep("hiddenStates", layer, () => x),
    attention: (layer, { query, key, value, keyMask, firstKeys }) => {
      const bounds = firstKeys === undefined ? {} : { firstKeys };
      keep("attentions", layer, () => attentionProbabilities(query, key, keyMask, bounds));
      keep("keys", layer, () => headsFirst(key));
      keep("values", layer, () => headsFirst(value));
    },
  };
}

/** The first layer that has one. */
export function firstLayer(state: LayerState): number {
  return state === "hiddenStates" ? 0 : 1;
}

/** @throws PupilError if a model has no such layer */
export function checkLayers({ numLayers }: LayerSizes, wanted: LayerRequest): void {
  for (const [state, layers] of Object.entries(wanted)) {
    const first = firstLayer(state as LayerState);
    const other = layers.find((layer) => !(layer >= first && layer <= numLayers));
    if (other === undefined) continue;
    throw new PupilError(`The model has no ${state} of layer ${other}.`, {
      field: "layers",
      value: other,
      remedy: `Its layers are ${first} to ${numLayers}.`,
    });
  }
}
