import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../data/index.js";
import { requireMember } from "../errors/index.js";
import {
  contextLength,
  type LanguageModel,
  type LayerRequest,
  type LayerResults,
} from "../models/index.js";
import { sampleRollouts } from "../rollouts/index.js";
import { layerSignals } from "./signals.js";
import {
  checkDistributionOptions,
  type DistributionOptions,
  type DrawNumbers,
  drawNumbers,
  drawsOf,
  logitSignals,
  signalsFromLogits,
} from "./logit-signals.js";
import type {
  ScoreSource,
  Teacher,
  TeacherAnswer,
  TeacherScores,
  TeacherSignal,
} from "./teacher.js";

export type ModelTeacherOptions = DistributionOptions;

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
  requireMember(model, "forward", {
    field: "modelTeacher: model",
    remedy: "Give it a model: (await loadModelFolder(path)).model.",
  });
  const { vocabSize } = model.config;
  checkDistributionOptions(options, vocabSize);
  const dispose = () => model.dispose();
  return {
    name,
    vocabSize,
    model,
    maxPositions: contextLength(model.config),
    provides: [...logitSignals(options), ...(model.forwardWithLayers ? layerSignals : [])],
    ...(model.forwardWithLayers ? { layerSizes: model.config } : {}),
    ...drawsOf(options),
    score: (batch, needs, context) => {
      const numbers = drawNumbers(batch, needs, options, context);
      return Promise.resolve({
        tensors: () => teacherTensors(model, batch, needs, options, context?.layers, numbers),
        ...hiddenOf(model, batch, needs),
        source: () => sourceOf(model, needs, options, context?.layers, numbers),
        dispose: () => numbers.dispose(),
      });
    },
    complete: (prompts, how) => sampleRollouts({ model, prompts, ...how }),
    dispose,
    [Symbol.dispose]: dispose,
  };
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

function sourceOf(
  model: LanguageModel,
  needs: readonly TeacherSignal[],
  options: DistributionOptions,
  layers: LayerRequest | undefined,
  numbers: DrawNumbers,
): ScoreSource | undefined {
  const weights = model.weights?.();
  if (weights === undefined) return undefined;
  const how = JSON.stringify([needs, options, layers]);
  return { by: model, how, reads: [...weights, ...numbers.reads()] };
}

/** What is asked for, from one forward pass. */
function teacherTensors(
  model: LanguageModel,
  batch: Batch,
  needs: readonly TeacherSignal[],
  options: DistributionOptions,
  wanted: LayerRequest | undefined,
  numbers: DrawNumbers,
): TeacherAnswer {
  return tf.tidy(() => {
    const { logits, layers } = forward(model, batch, wanted);
    const tensors = signalsFromLogits(logits, batch, needs, options, numbers);
    return { ...tensors, ...(layers ? { layers } : {}) };
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
