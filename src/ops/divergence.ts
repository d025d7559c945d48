import * as tf from "@tensorflow/tfjs";
import { assertShape } from "../tensors/index.js";

/** What every divergence between two next-token distributions reads, `[..., V]` before temperature. */
export type DivergenceInputs = { studentLogits: tf.Tensor; teacherLogits: tf.Tensor };

export interface TemperatureAttributes {
  /** Divides both logits; the value is not multiplied by its square. */
  readonly temperature: number;
}

/**
 * Log-probabilities of both at the temperature, and their difference. The two are computed in the
 * same way, so that equal logits differ by exactly 0. A logit of −1e9 gives probability 0 and a
 * finite log-probability, hence 0 · log 0 = 0 without a special case.
 */
export function logProbabilities(
  { studentLogits, teacherLogits }: DivergenceInputs,
  { temperature }: TemperatureAttributes,
): { logStudent: tf.Tensor; logTeacher: tf.Tensor } {
  return {
    logStudent: tf.logSoftmax(atTemperature(studentLogits, temperature)),
    logTeacher: tf.logSoftmax(atTemperature(teacherLogits, temperature)),
  };
}

/** Logits divided by the temperature; the same tensor at temperature 1. */
export function atTemperature(logits: tf.Tensor, temperature: number): tf.Tensor {
  return temperature === 1 ? logits : logits.div(temperature);
}

/** Gradient that every divergence gives to the teacher: none. */
export function noTeacherGradient(teacherLogits: tf.Tensor): () => tf.Tensor {
  return () => tf.zerosLike(teacherLogits);
}

export function assertDivergenceInputs(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  temperature: number,
): void {
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  if (!(temperature > 0)) throw new Error(`temperature must be positive, got ${temperature}.`);
}
