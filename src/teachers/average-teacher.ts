import * as tf from "@tensorflow/tfjs";
import { PupilError } from "../errors/index.js";
import { copyDecoder, type Decoder, decoderToTensors } from "../models/index.js";
import { modelTeacher, type ModelTeacherOptions } from "./model-teacher.js";
import type { Teacher } from "./teacher.js";

/**
 * An exponential moving average of the student as its teacher: after every step
 * θ̄ ← decay · θ̄ + (1 − decay) · θ, beginning with the student as it is. With an adapter, θ are the
 * weights with what it adds.
 *
 * Owns the average, not the student.
 *
 * @param decay from 0 (the student after its last step) to below 1
 * @see Tarvainen & Valpola 2017, "Mean teachers are better role models", arXiv 1703.01780
 */
export function averageTeacher(
  student: Decoder,
  decay: number,
  options: ModelTeacherOptions = {},
): Teacher {
  const average = copyDecoder(student);
  const state = {
    read: () => decoderToTensors(average),
    restore: (tensors: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>) => {
      for (const [name, parameter] of average.parameters) {
        const saved = tensors.get(name);
        if (saved === undefined || saved.shape.join() !== parameter.shape.join()) {
          throw new PupilError(`The saved average has no ${name} of this shape.`, {
            field: name,
            value: saved?.shape,
            remedy: "Resume from a checkpoint of the same run.",
          });
        }
        assign(parameter, () => tf.tensor(saved.data, parameter.shape));
      }
    },
  };
  const afterStep = () => {
    tf.tidy(() => {
      for (const [name, current] of student.effectiveParameters()) {
        const parameter = average.parameters.get(name) as tf.Variable;
        const own = student.parameters.get(name);
        if (current === own && !own?.trainable) continue;
        parameter.assign(parameter.mul(decay).add(current.mul(1 - decay)));
      }
    });
  };
  return { ...modelTeacher(average, `average of the student`, options), afterStep, state };
}

function assign(variable: tf.Variable, value: () => tf.Tensor): void {
  tf.tidy(() => variable.assign(value()));
}
