import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import { logProbsFromLogits, selectedLogProbs, tokenLogProbs } from "../ops/index.js";
import { HostValues } from "../tensors/index.js";
import { drawTokens, sequenceUniforms } from "./draw-tokens.js";
import { isTokenSignal } from "./signals.js";
import type {
  ScoreContext,
  Teacher,
  TeacherSignal,
  TeacherTensors,
  TokenSignal,
} from "./teacher.js";

/** Which parts of its distribution a teacher gives besides the whole. */
export interface DistributionOptions {
  /** Gives the K likeliest tokens of every position. */
  readonly topK?: number | undefined;
  /** Gives K tokens of every position drawn from its distribution, with replacement. */
  readonly samples?: number | undefined;
  /** Temperature of those draws; their log-probabilities stay those of temperature 1. Default 1. */
  readonly sampleTemperature?: number | undefined;
}

/** What a teacher with logits provides with these options. */
export function logitSignals({ topK, samples }: DistributionOptions): TokenSignal[] {
  const always: TokenSignal[] = ["teacherLogits", "teacherTokenLogProbs"];
  if (topK !== undefined) return [...always, "teacherTokenIds", "teacherTopLogProbs"];
  if (samples === undefined) return always;
  return [...always, "teacherTokenIds", "teacherTopLogProbs", "teacherSampleLogProbs"];
}

/** The temperature of a teacher's draws, for teachers that draw at another than 1. */
export function drawsOf({
  samples,
  sampleTemperature,
}: DistributionOptions): Pick<Teacher, "sampleTemperature"> {
  return samples === undefined || sampleTemperature === undefined ? {} : { sampleTemperature };
}

/** The numbers that decide which tokens are drawn, `[B, T, K]`; none where nothing is drawn. */
export type DrawNumbers = HostValues<{ readonly uniforms?: tf.Tensor3D }>;

/**
 * @param context needed where tokens are drawn
 */
export function drawNumbers(
  batch: Batch,
  needs: readonly TeacherSignal[],
  { samples }: DistributionOptions,
  context: ScoreContext | undefined,
): DrawNumbers {
  return new HostValues(() => {
    if (samples === undefined || !wantsTokens(needs)) return {};
    if (context === undefined)
      throw new Error("A teacher that draws tokens needs a random stream.");
    return { uniforms: sequenceUniforms(context.random, context.firstRow, batch, samples) };
  });
}

const wantsTokens = (needs: readonly TeacherSignal[]) =>
  needs.includes("teacherTokenIds") || needs.includes("teacherTopLogProbs");

/**
 * What is asked for, from logits `[B, T, V]` of the batch's tokens. The logits stay the caller's and
 * may be returned as they are.
 */
export function signalsFromLogits(
  logits: tf.Tensor3D,
  batch: Batch,
  needs: readonly TeacherSignal[],
  options: DistributionOptions,
  numbers: DrawNumbers,
): Partial<TeacherTensors> {
  return tf.tidy(() => {
    const { uniforms } = numbers.tensors();
    const all: Partial<TeacherTensors> = {
      teacherLogits: logits,
      ...(needs.includes("teacherTokenLogProbs")
        ? { teacherTokenLogProbs: tokenLogProbs(logits, batch.labels) }
        : {}),
      ...(wantsTokens(needs) && options.topK !== undefined ? likeliest(logits, options.topK) : {}),
      ...(uniforms ? draws(logits, uniforms, options.sampleTemperature ?? 1) : {}),
    };
    const asked = needs.filter(isTokenSignal).map((need) => [need, all[need]] as const);
    return Object.fromEntries(asked) as Partial<TeacherTensors>;
  });
}

function likeliest(logits: tf.Tensor3D, K: number): Partial<TeacherTensors> {
  const { values, indices } = tf.topk(logProbsFromLogits(logits), K, true);
  return { teacherTokenIds: indices as tf.Tensor3D, teacherTopLogProbs: values as tf.Tensor3D };
}

function draws(
  logits: tf.Tensor3D,
  uniforms: tf.Tensor3D,
  temperature: number,
): Partial<TeacherTensors> {
  const teacherTokenIds = drawTokens(logProbsFromLogits(logits, { temperature }).exp(), uniforms);
  return {
    teacherTokenIds,
    teacherTopLogProbs: selectedLogProbs(logits, teacherTokenIds),
    teacherSampleLogProbs: selectedLogProbs(logits, teacherTokenIds, { temperature }),
  };
}

/** @throws PupilError if asked for both the likeliest tokens and draws, or for more than there are */
export function checkDistributionOptions(
  { topK, samples }: DistributionOptions,
  vocabSize: number,
): void {
  if (topK !== undefined && samples !== undefined) {
    throw new PupilError("gives either its likeliest tokens (topK) or draws (samples), not both.", {
      field: "teacher",
    });
  }
  if (topK !== undefined && topK > vocabSize) {
    throw new PupilError(`is ${topK}, more than the teacher's vocabulary of ${vocabSize} tokens.`, {
      field: "teacher.topK",
      value: topK,
      remedy: "Lower it, or leave it out and use a loss on the teacher's logits.",
    });
  }
}
