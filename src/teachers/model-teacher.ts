import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../data/index.js";
import type { LanguageModel } from "../models/index.js";
import { sampleRollouts } from "../rollouts/index.js";
import {
  checkDistributionOptions,
  type DistributionOptions,
  drawsOf,
  logitSignals,
  signalsFromLogits,
} from "./logit-signals.js";
import type { Teacher, TeacherScores, TeacherSignal } from "./teacher.js";

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
  const { vocabSize } = model.config;
  checkDistributionOptions(options, vocabSize);
  const dispose = () => model.dispose();
  return {
    name,
    vocabSize,
    maxPositions: model.config.maxPositions,
    provides: logitSignals(options),
    ...drawsOf(options),
    score: (batch, needs, context) =>
      Promise.resolve({
        tensors: () =>
          tf.tidy(() => signalsFromLogits(model.forward(batch), batch, needs, options, context)),
        ...hiddenOf(model, batch, needs),
      }),
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
