import * as tf from "@tensorflow/tfjs-core";
import { contextLength, type LanguageModel } from "../models/index.js";
import type { AheadSettings } from "../ops/index.js";
import { bucketedLength } from "../tensors/index.js";
import { type RowInputs, toModelInputs } from "./row-inputs.js";

/** Where the logits of next tokens come from: a model in this process, or one in another runtime. */
export interface TokenSource {
  readonly vocabSize: number;
  /** Longest sequence, prompt and completion together. */
  readonly maxPositions: number;
  /** Who writes: of the same one, completions are expected to be as long as the last ones. */
  readonly writer?: object;
  /** Columns that prompts are padded to, of which the longest has `longest`, and `most` at most. Default: `longest`. */
  columnsFor?(longest: number, most: number): number;
  /** For rows that are fed together from here on; `capacity` is how many columns there may be. */
  open(capacity: number): TokenStream;
}

/** Remembers the columns that it was fed. */
export interface TokenStream extends Disposable {
  /**
   * Feeds more columns and resolves to the way to the logits `[B, V]` after the last one, which is
   * called once, in the sampler's memory scope.
   */
  next(inputs: RowInputs): Promise<() => tf.Tensor2D>;
  /**
   * Several columns by a shorter way, if there is one: the given ones and those sampled after them,
   * `[steps, 2, B]` or fewer, with uniforms `[steps][B]` unless it is greedy. See `LanguageModel.sampleAhead`.
   */
  sampleAhead?(
    inputs: RowInputs,
    settings: AheadSettings,
    uniforms: () => tf.Tensor2D,
  ): tf.Tensor3D | undefined;
}

/** A model in this process; nothing is read back. */
export function modelSource(model: LanguageModel): TokenSource {
  return {
    vocabSize: model.config.vocabSize,
    maxPositions: contextLength(model.config),
    writer: model,
    columnsFor: bucketedLength,
    open: (capacity) => {
      const cache = model.createCache(capacity);
      return {
        next: (inputs) =>
          Promise.resolve(() => {
            const logits = model.forward(toModelInputs(inputs), cache, { lastPositionOnly: true });
            return logits.reshape([inputs.batch, logits.shape[2]]) as tf.Tensor2D;
          }),
        sampleAhead: (inputs, settings, uniforms) =>
          tf.tidy(() => {
            if (!model.sampleAhead) return undefined;
            const random = settings.greedy ? {} : { uniforms: uniforms() };
            const all = { ...toModelInputs(inputs), ...random };
            return model.sampleAhead(all, cache, settings);
          }),
        [Symbol.dispose]: () => cache.dispose(),
      };
    },
  };
}
