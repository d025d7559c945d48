import type * as tf from "@tensorflow/tfjs";
import { contextLength, type LanguageModel } from "../models/index.js";
import { type RowInputs, toModelInputs } from "./row-inputs.js";

/** Where the logits of next tokens come from: a model in this process, or one in another runtime. */
export interface TokenSource {
  readonly vocabSize: number;
  /** Longest sequence, prompt and completion together. */
  readonly maxPositions: number;
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
}

/** A model in this process; nothing is read back. */
export function modelSource(model: LanguageModel): TokenSource {
  return {
    vocabSize: model.config.vocabSize,
    maxPositions: contextLength(model.config),
    open: (capacity) => {
      const cache = model.createCache(capacity);
      return {
        next: (inputs) =>
          Promise.resolve(() => {
            const logits = model.forward(toModelInputs(inputs), cache, { lastPositionOnly: true });
            return logits.reshape([inputs.batch, logits.shape[2]]) as tf.Tensor2D;
          }),
        [Symbol.dispose]: () => cache.dispose(),
      };
    },
  };
}
