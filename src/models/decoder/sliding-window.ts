import * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "./config.js";
import type { ModelInputs } from "./types.js";

/**
 * By layer, how many keys a token sees, itself included; undefined where it sees all.
 *
 * Source: Jiang et al. 2023, "Mistral 7B", arXiv 2310.06825, section 2, counted as Hugging Face does
 * (`masking_utils.py`, `sliding_window_overlay`: key > query − window).
 */
export function slidingWindows(
  config: Pick<ModelConfig, "numLayers" | "slidingWindow" | "layerTypes">,
): (number | undefined)[] {
  const { numLayers, slidingWindow, layerTypes } = config;
  return Array.from({ length: numLayers }, (_, layer) => {
    const isSliding = layerTypes === null || layerTypes[layer] === "sliding_attention";
    return isSliding && slidingWindow !== null ? slidingWindow : undefined;
  });
}

/**
 * By layer, the first key `[B, T]` that each query sees: the later one of the start of its own sequence
 * and that of the window; undefined where neither cuts anything off. Windows count positions in the
 * row, which for the tokens of one sequence is the same as counting its tokens.
 */
export function firstKeysByLayer(
  config: ModelConfig,
  { inputIds, firstKeys }: Pick<ModelInputs, "inputIds" | "firstKeys">,
  numCached: number,
): (tf.Tensor2D | undefined)[] {
  const [batch, length] = inputIds.shape;
  const ofWindow = (window: number): tf.Tensor2D => {
    const first = numCached - window + 1;
    const starts = tf.range(first, first + length, 1, "int32").expandDims<tf.Tensor2D>(0);
    const rows = tf.tile(starts, [batch, 1]);
    return firstKeys ? tf.maximum<tf.Tensor2D>(rows, firstKeys).toInt() : rows;
  };
  const made = new Map<number, tf.Tensor2D>();
  return slidingWindows(config).map((window) => {
    if (window === undefined || window >= numCached + length) return firstKeys;
    const known = made.get(window) ?? ofWindow(window);
    made.set(window, known);
    return known;
  });
}
