import * as tf from "@tensorflow/tfjs";
import { disposeAll, keepTensor } from "../tensors/index.js";
import type { KeyValueCache } from "./types.js";

interface LayerEntry {
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
}

/** A cache that grows by concatenation: every append copies what the layer already holds. */
export class ConcatenatingCache implements KeyValueCache {
  private readonly layers: LayerEntry[] = [];

  get length(): number {
    // Layers are filled in order, so the last one says which positions are complete.
    return this.layers.at(-1)?.key.shape[1] ?? 0;
  }

  append(layer: number, key: tf.Tensor4D, value: tf.Tensor4D): LayerEntry {
    const old = this.layers[layer];
    const entry = tf.tidy(() => ({
      key: keepTensor(old ? tf.concat([old.key, key], 1) : key.clone()),
      value: keepTensor(old ? tf.concat([old.value, value], 1) : value.clone()),
    }));
    disposeAll([old?.key, old?.value]);
    this.layers[layer] = entry;
    return entry;
  }

  dispose(): void {
    for (const { key, value } of this.layers) disposeAll([key, value]);
    this.layers.length = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
