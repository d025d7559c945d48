import * as tf from "@tensorflow/tfjs-core";
import { keepTensor } from "../../tensors/index.js";
import { ConcatenatingCache } from "./cache.js";
import { defaultPositionIds } from "./positions.js";
import type { KeyValueCache, ModelInputs } from "./types.js";

/**
 * A cache for models whose rotary frequencies change with the length of the sequence. Up to
 * `longestFixed` positions it caches keys and values. Behind that, every key of every layer would be
 * another one, so the tokens so far are kept and computed anew: slow, but what a whole pass gives.
 */
export class ChangingCache implements KeyValueCache {
  private readonly fixed = new ConcatenatingCache();
  private readonly longestFixed: number;
  private inputIds: tf.Tensor2D | undefined;
  private positionIds: tf.Tensor2D | undefined;

  constructor(longestFixed: number) {
    this.longestFixed = longestFixed;
  }

  get length(): number {
    return this.inputIds?.shape[1] ?? 0;
  }

  remember({ inputIds, positionIds, attentionMask }: ModelInputs): ModelInputs | undefined {
    const positions = positionIds ?? defaultPositionIds(inputIds, attentionMask, this.length);
    this.inputIds = extend(this.inputIds, inputIds);
    this.positionIds = extend(this.positionIds, positions);
    if (this.length <= this.longestFixed) return undefined;
    const all = { inputIds: this.inputIds, positionIds: this.positionIds };
    return { ...all, ...(attentionMask && { attentionMask }) };
  }

  append(layer: number, key: tf.Tensor4D, value: tf.Tensor4D) {
    return this.fixed.append(layer, key, value);
  }

  dispose(): void {
    this.fixed.dispose();
    tf.dispose([this.inputIds, this.positionIds].filter((tensor) => tensor !== undefined));
    this.inputIds = undefined;
    this.positionIds = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function extend(old: tf.Tensor2D | undefined, added: tf.Tensor2D): tf.Tensor2D {
  const all = keepTensor(old ? tf.concat([old, added], 1) : added.clone());
  old?.dispose();
  return all;
}
