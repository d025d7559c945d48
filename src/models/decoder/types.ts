import type * as tf from "@tensorflow/tfjs-core";
import type { AheadSettings } from "../../ops/index.js";
import type { RecordedCall } from "../../tensors/index.js";
import type { ModelConfig } from "./config.js";
import type { LayerRequest, LayerResults } from "./layer-states.js";

/** What a forward pass reads. All `[B, T]`; masks are 1 for real tokens. */
export interface ModelInputs {
  readonly inputIds: tf.Tensor2D;
  /**
   * `[B, T]`, or `[B, S]` with `S` = cached length + `T` when a cache is given. Without it every
   * position is real.
   */
  readonly attentionMask?: tf.Tensor2D;
  /**
   * int32; by default the number of real tokens before this one, counted from the attention mask,
   * so that left padding does not shift them.
   */
  readonly positionIds?: tf.Tensor2D;
  /**
   * `[B, T]` int32: the first of the S positions that each token sees, for several sequences in a row
   * (where its own starts). With it give `positionIds` that start again with every sequence; the row
   * may then be longer than `maxPositions`. A sliding window of the model comes on top.
   */
  readonly firstKeys?: tf.Tensor2D;
}

export interface ForwardOptions {
  /** Logits of the last position only, `[B, 1, V]`: all that sampling needs. */
  readonly lastPositionOnly?: boolean;
}

/** Inputs of the next tokens of every row, sampled ones behind them; `[steps, B]` uniforms unless it is greedy. */
export interface AheadInputs extends ModelInputs {
  readonly attentionMask: tf.Tensor2D;
  readonly uniforms?: tf.Tensor2D;
}

/** Keys and values of the tokens seen so far, per layer. Owns its tensors. */
export interface KeyValueCache extends Disposable {
  /** Number of cached positions. */
  readonly length: number;
  /**
   * Adds the keys and values `[B, T, Hkv, hd]` of new positions to a layer and returns all of the
   * layer's, to be read within the scope of the call. The arguments stay the caller's.
   */
  append(
    layer: number,
    key: tf.Tensor4D,
    value: tf.Tensor4D,
  ): { key: tf.Tensor4D; value: tf.Tensor4D };
  /**
   * For models whose rotary frequencies change with the length of the sequence; called once per pass,
   * before the layers. Where what is cached holds no longer, the inputs of all positions: the pass
   * then computes those, without the cache.
   */
  remember?(inputs: ModelInputs): ModelInputs | undefined;
  /**
   * Logits `[B, 1, V]` of one more token per row, which goes to the end of the cache: what a forward
   * pass gives, by a shorter way that some caches have. It is without gradient and reads the weights
   * as they were when it was first taken.
   */
  decodeToken?(inputs: ModelInputs): tf.Tensor3D;
  /**
   * {@link LanguageModel.sampleAhead} by that way; it counts all that is fed as cached.
   *
   * @param logits `[B, 1, V]` of the first token, where the inputs have been cached already
   */
  sampleAhead?(
    inputs: AheadInputs,
    settings: AheadSettings,
    logits?: tf.Tensor3D,
  ): tf.Tensor3D | undefined;
  /**
   * Samples ahead as a call that a backend may carry out again.
   *
   * @param callOf asked where a backend does so; its key says what is sampled and how, its reads are the inputs and the model's
   *   weights
   * @param positions that are cached afterwards
   * @param sample feeds this cache
   */
  sampleRecorded?(
    callOf: () => RecordedCall,
    positions: number,
    sample: () => tf.Tensor3D | undefined,
  ): tf.Tensor3D | undefined;
  dispose(): void;
}

/** A causal language model whose forward pass is differentiable. Owns its parameters. */
export interface LanguageModel extends Disposable {
  readonly config: ModelConfig;
  /** By Hugging Face name, in a fixed order. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly numParameters: number;
  /**
   * What training changes, by name in a fixed order: of the parameters and of an active adapter those
   * with `trainable`.
   */
  trainableParameters(): ReadonlyMap<string, tf.Variable>;
  /**
   * Logits `[B, T, V]`. With a cache, appends the new keys and values to it.
   * Throws a PupilError when cached and new positions exceed `maxPositions`.
   */
  forward(inputs: ModelInputs, cache?: KeyValueCache, options?: ForwardOptions): tf.Tensor3D;
  /**
   * Feeds columns of tokens (prompts, or one more token per row) and, `steps` − 1 times, what was sampled after them:
   * `[steps, 2, B]`, ids and log-probabilities as of `sampleTokens`, for models and caches that have a shorter way to this
   * than a forward pass for every token; undefined where this one has none. It may be of fewer steps, `[1, 2, B]`, where only
   * the first token could be sampled. A row whose last column the mask hides has ended; what is sampled after the end of a row
   * means nothing.
   */
  sampleAhead?(
    inputs: AheadInputs,
    cache: KeyValueCache,
    settings: AheadSettings,
  ): tf.Tensor3D | undefined;
  /**
   * What the head reads, `[B, T, D]`, for models whose logits are `hiddenStates · headWeightᵀ`: a loss
   * that is computed from both needs no logits.
   */
  hiddenStates?(inputs: ModelInputs): tf.Tensor3D;
  /**
   * Logits as of `forward`, and from the same pass the states of the layers that are asked for, for
   * models whose layers can be seen. Differentiable like the logits.
   *
   * @throws PupilError if there is no such layer
   */
  forwardWithLayers?(
    inputs: ModelInputs,
    wanted: LayerRequest,
  ): { readonly logits: tf.Tensor3D; readonly layers: LayerResults };
  /**
   * Every tensor that a forward pass reads beside its inputs, in a fixed order, for models of which a pass depends on nothing
   * else: no random numbers, nothing that the host counts. It need not be computed anew then, where a backend can repeat it.
   */
  weights?(): readonly tf.Tensor[];
  /** `[V, D]`, the model's own. */
  readonly headWeight?: tf.Tensor2D;
  /** A cache for the weights as they are now, with room for `capacity` positions if that is known. */
  createCache(capacity?: number): KeyValueCache;
  dispose(): void;
}
