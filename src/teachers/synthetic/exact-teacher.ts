import * as tf from "@tensorflow/tfjs-core";
import { type Batch, isLearned, type PlacedSequence } from "../../data/index.js";
import { hostLogits, logitScores } from "../logit-scores.js";
import {
  checkDistributionOptions,
  type DistributionOptions,
  drawsOf,
  logitSignals,
} from "../logit-signals.js";
import type { Teacher } from "../teacher.js";
import type { ExactLanguage } from "./exact-language.js";
import { sampleExactly } from "./sample-exactly.js";

/** A teacher whose language is known, so that distances to it can be computed and not estimated. */
export interface ExactTeacher<S = unknown> extends Teacher {
  readonly language: ExactLanguage<S>;
}

/** Stands for log 0, so that losses stay finite; its exponential is 0 in float32. */
const impossible = -1e9;

export interface ExactTeacherOptions extends DistributionOptions {
  /**
   * Rows of logits, for a student with rows of padding. Those beyond the language lie 20 below the
   * least possible token of their position, as `withVocabulary` makes them. Default: the language's.
   */
  readonly rows?: number;
}

/**
 * A language as teacher. Its logits are its exact log-probabilities, computed in float64 on the host
 * and uploaded; at positions that are not learned they are 0.
 */
export function exactTeacher<S>(
  language: ExactLanguage<S>,
  name: string,
  { rows: vocabSize = language.vocabSize, ...options }: ExactTeacherOptions = {},
): ExactTeacher<S> {
  checkDistributionOptions(options, vocabSize);
  const dispose = () => undefined;
  return {
    name,
    vocabSize,
    language,
    provides: logitSignals(options),
    ...drawsOf(options),
    score: (batch, needs, context) => {
      const known = hostLogits(() => exactLogits(language, batch, vocabSize));
      return Promise.resolve(logitScores(known, batch, needs, options, context));
    },
    complete: (prompts, how) => Promise.resolve(sampleExactly(language, prompts, how)),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** `[B, T, V]`; V may be more than the language has. */
function exactLogits<S>(language: ExactLanguage<S>, batch: Batch, vocabSize: number): tf.Tensor3D {
  const { size, sequenceLength } = batch;
  const values = new Float32Array(size * sequenceLength * vocabSize);
  for (const sequence of batch.sequences as readonly PlacedSequence[]) {
    const { ids, row, start } = sequence;
    let state = language.start;
    for (let position = 0; position + 1 < ids.length; position++) {
      state = language.advance(state, ids[position] as number);
      if (!isLearned(sequence, position + 1)) continue;
      const logProbs = language.logProbs(state);
      const first = (row * sequenceLength + start + position) * vocabSize;
      values.set(
        logProbs.map((value) => Math.max(value, impossible)),
        first,
      );
      if (vocabSize === logProbs.length) continue;
      const least = logProbs.filter((value) => value > -Infinity).reduce((a, b) => Math.min(a, b));
      values.fill(least - 20, first + logProbs.length, first + vocabSize);
    }
  }
  return tf.tensor3d(values, [size, sequenceLength, vocabSize]);
}
