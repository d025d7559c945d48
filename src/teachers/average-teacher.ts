import * as tf from "@tensorflow/tfjs-core";
import { copyDecoder, type Decoder, variableState } from "../models/index.js";
import { averageUpdate } from "../ops/index.js";
import { identityOf, recorded } from "../tensors/index.js";
import { modelTeacher, type ModelTeacherOptions } from "./model-teacher.js";
import type { Teacher } from "./teacher.js";

/**
 * An exponential moving average of the student as its teacher: after every step
 * θ̄ ← decay · θ̄ + (1 − decay) · θ, beginning with the student as it is. With an adapter, θ are the
 * weights with what it adds.
 *
 * Owns the average, not the student.
 *
 * @param decay from 0 (the student after its last step) to 1 (the student as it is now, for ever)
 * @see Tarvainen & Valpola 2017, "Mean teachers are better role models", arXiv 1703.01780
 */
export function averageTeacher(
  student: Decoder,
  decay: number,
  options: ModelTeacherOptions = {},
): Teacher {
  const average = copyDecoder(student);
  const state = variableState(average.parameters, "average");
  const follow = () => {
    tf.tidy(() => {
      for (const [name, current] of student.effectiveParameters()) {
        const own = student.parameters.get(name);
        if (current === own && !own?.trainable) continue;
        const parameter = average.parameters.get(name) as tf.Variable;
        tf.tidy(() => averageUpdate(parameter, current, decay));
      }
    });
    return { tensors: {}, facts: undefined };
  };
  const callOf = () => {
    const own = [...student.parameters].filter(([, { trainable }]) => trainable);
    const trained = [...own.map(([name]) => name), ...student.trainableParameters().keys()];
    const reads = [...average.parameters.values(), ...student.weights()];
    const key = JSON.stringify([identityOf(student), trained]);
    return { owner: average, name: "average", key, reads };
  };
  const afterStep = () => {
    if (decay < 1) recorded(callOf, follow);
  };
  return { ...modelTeacher(average, `average of the student`, options), afterStep, state };
}
