import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import type { LanguageModel, LayerRequest, LayerResults } from "../models/index.js";
import { logProbsFromLogits, selectedLogProbs, tokenLogProbs } from "../ops/index.js";
import { sampleRollouts } from "../rollouts/index.js";
import { drawTokens, sequenceUniforms } from "./draw-tokens.js";
import type {
  LayerSignal,
  ScoreContext,
  Teacher,
  TeacherAnswer,
  TeacherScores,
  TeacherSignal,
  TeacherTensors,
} from "./teacher.js";

export interface ModelTeacherOptions {
  /** Gives the K likeliest tokens of every position. */
  readonly topK?: number | undefined;
  /** Gives K tokens of every position drawn from its distribution, with replacement. */
  readonly samples?: number | undefined;
  /** Temperature of those draws; their log-probabilities stay those of temperature 1. Default 1. */
  readonly sampleTemperature?: number | undefined;
}

/**
 * A model in this process as teacher: its logits stay on the device and are never read back.
 * Takes ownership of the model.
 *
 * @throws PupilError if asked for both the likeliest tokens and draws, or for more than there are
 */
export function modelTeacher(
  model: LanguageModel,
  name = "model",
  options: ModelTeacherOptions = {},
): Teacher {
  const { vocabSize } = model.config;
  checkOptions(options, vocabSize);
  const dispose = () => model.dispose();
  return {
    name,
    vocabSize,
    maxPositions: model.config.maxPositions,
    provides: [...providedBy(options), ...(model.forwardWithLayers ? layerSignals : [])],
    ...(model.forwardWithLayers ? { layerSizes: model.config } : {}),
    score: (batch, needs, context) =>
      Promise.resolve({
        tensors: () => teacherTensors(model, batch, needs, options, context),
        ...hiddenOf(model, batch, needs),
      }),
    complete: (prompts, how) => sampleRollouts({ model, prompts, ...how }),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

const layerSignals: readonly LayerSignal[] = [
  "teacherHiddenStates",
  "teacherAttentions",
  "teacherKeys",
  "teacherValues",
];

function providedBy({ topK, samples }: ModelTeacherOptions): TeacherSignal[] {
  const always: TeacherSignal[] = ["teacherLogits", "teacherTokenLogProbs"];
  if (topK !== undefined) return [...always, "teacherTokenIds", "teacherTopLogProbs"];
  if (samples === undefined) return always;
  return [...always, "teacherTokenIds", "teacherTopLogProbs", "teacherSampleLogProbs"];
}

function hiddenOf(
  model: LanguageModel,
  batch: Batch,
  needs: readonly TeacherSignal[],
): Pick<TeacherScores, "hidden"> {
  const { headWeight: head } = model;
  const onlyLogits = needs.every((need) => need === "teacherLogits");
  if (!onlyLogits || model.hiddenStates === undefined || head === undefined) return {};
  return { hidden: () => ({ hidden: model.hiddenStates?.(batch) as tf.Tensor3D, head }) };
}

/** What is asked for, from one forward pass. */
function teacherTensors(
  model: LanguageModel,
  batch: Batch,
  needs: readonly TeacherSignal[],
  options: ModelTeacherOptions,
  context: ScoreContext | undefined,
): TeacherAnswer {
  return tf.tidy(() => {
    const { logits, layers } = forward(model, batch, context?.layers);
    const wantsTokens = needs.includes("teacherTokenIds") || needs.includes("teacherTopLogProbs");
    const all: TeacherAnswer = {
      teacherLogits: logits,
      ...(layers ? { layers } : {}),
      ...(needs.includes("teacherTokenLogProbs")
        ? { teacherTokenLogProbs: tokenLogProbs(logits, batch.labels) }
        : {}),
      ...(wantsTokens && options.topK !== undefined ? likeliest(logits, options.topK) : {}),
      ...(wantsTokens && options.samples !== undefined
        ? draws(logits, batch, options.samples, options.sampleTemperature ?? 1, context)
        : {}),
    };
    const asked = ["layers", ...needs].map((name) => [name, all[name as keyof TeacherAnswer]]);
    return Object.fromEntries(asked.filter(([, given]) => given !== undefined));
  });
}

function forward(
  model: LanguageModel,
  batch: Batch,
  wanted: LayerRequest | undefined,
): { logits: tf.Tensor3D; layers?: LayerResults } {
  if (wanted === undefined) return { logits: model.forward(batch) };
  if (model.forwardWithLayers === undefined) throw new Error("This model shows no layers.");
  return model.forwardWithLayers(batch, wanted);
}

function likeliest(logits: tf.Tensor3D, K: number): Partial<TeacherTensors> {
  const { values, indices } = tf.topk(logProbsFromLogits(logits), K, true);
  return { teacherTokenIds: indices as tf.Tensor3D, teacherTopLogProbs: values as tf.Tensor3D };
}

function draws(
  logits: tf.Tensor3D,
  batch: Batch,
  K: number,
  temperature: number,
  context: ScoreContext | undefined,
): Partial<TeacherTensors> {
  if (context === undefined) throw new Error("A teacher that draws tokens needs a random stream.");
  const uniforms = sequenceUniforms(context.random, context.firstRow, batch, K);
  const teacherTokenIds = drawTokens(logProbsFromLogits(logits, { temperature }).exp(), uniforms);
  return {
    teacherTokenIds,
    teacherTopLogProbs: selectedLogProbs(logits, teacherTokenIds),
    teacherSampleLogProbs: selectedLogProbs(logits, teacherTokenIds, { temperature }),
  };
}

function checkOptions({ topK, samples }: ModelTeacherOptions, vocabSize: number): void {
  if (topK !== undefined && samples !== undefined) {
    throw new PupilError("gives either its likeliest tokens (topK) or draws (samples), not both.", {
      field: "teacher",
    });
  }
  if (topK !== undefined && topK > vocabSize) {
    throw new PupilError(`is more than the teacher's vocabulary of ${vocabSize} tokens.`, {
      field: "teacher.topK",
      value: topK,
      remedy: "Lower it, or leave it out and use a loss on the teacher's logits.",
    });
  }
}
