import type * as tf from "@tensorflow/tfjs";
import type { ModelConfig } from "./config.js";

/** What a forward pass reads. All `[B, T]`; masks are 1 for real tokens. */
export interface ModelInputs {
  readonly inputIds: tf.Tensor2D;
  /**
   * `[B, T]`, or `[B, S]` with `S` = cached length + `T` when a cache is given. Without it every
   * position is real.
   */
  readonly attentionMask?: tf.Tensor2D;
  /** int32; by default counted from the attention mask, so that left padding does not shift them. */
  readonly positionIds?: tf.Tensor2D;
}

/** Keys and values of the tokens seen so far, per layer. Owns its tensors. */
export interface KeyValueCache extends Disposable {
  /** Number of cached positions. */
  readonly length: number;
  dispose(): void;
}

/** A causal language model whose forward pass is differentiable. Owns its parameters. */
export interface LanguageModel extends Disposable {
  readonly config: ModelConfig;
  /** By Hugging Face name, in a fixed order. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly numParameters: number;
  /** Logits `[B, T, V]`. With a cache, appends the new keys and values to it. */
  forward(inputs: ModelInputs, cache?: KeyValueCache): tf.Tensor3D;
  createCache(): KeyValueCache;
  dispose(): void;
}
