import * as tf from "@tensorflow/tfjs-core";
import type { LossInputs } from "../../losses/index.js";
import type { LanguageModel } from "../../models/index.js";
import { type HiddenStates, tokenLogProbs } from "../../ops/index.js";
import { hiddenModel } from "./hidden-losses.js";
import type { MicroBatch } from "./micro-batch.js";

/** What a term reads, row by row: the logits of a whole micro-batch may never have been made. */
export function rowInputs(
  student: LanguageModel,
  { batch, teacher, rollouts }: MicroBatch,
): (row: number) => Partial<LossInputs> & Pick<LossInputs, "studentLogits"> {
  const ofStudent = hiddenModel(student)?.(batch) ?? student.forward(batch);
  const hidden = teacher?.hidden?.();
  const { layers: _layers, ownVocabularyLogits: _own, ...tensors } = teacher?.tensors() ?? {};
  const given = hidden === undefined ? tensors : {};
  const sampled = (hidden === undefined && rollouts?.inputs(given)) || {};
  const { labels, completionMask: positionMask } = batch;
  const fixed = { labels, positionMask, ...given, ...sampled };
  return (row) => {
    const slice = (tensor: tf.Tensor) => tf.slice(tensor, row, 1);
    const entries = Object.entries(fixed).map(([name, tensor]) => [name, slice(tensor)]);
    const studentLogits = logitsOf(ofStudent, row);
    return {
      ...(Object.fromEntries(entries) as Partial<LossInputs>),
      ...(hidden ? { teacherLogits: logitsOf(hidden, row) } : {}),
      studentLogits,
      tokenLogProbs: tokenLogProbs(studentLogits, slice(labels) as tf.Tensor2D),
    };
  };
}

function logitsOf(model: HiddenStates | tf.Tensor3D, row: number): tf.Tensor3D {
  if (!("hidden" in model)) return tf.slice(model, row, 1);
  const [, T, D] = model.hidden.shape;
  const states = tf.slice(model.hidden, row, 1).reshape([T, D]);
  return tf.matMul(states, model.head, false, true).expandDims<tf.Tensor3D>(0);
}
