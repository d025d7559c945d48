import * as tf from "@tensorflow/tfjs";
import { assertShape } from "../tensors/index.js";

/** What every divergence between two next-token distributions reads, `[..., V]` before temperature. */
export type DivergenceInputs = { studentLogits: tf.Tensor; teacherLogits: tf.Tensor };

export interface TemperatureAttributes {
  /** Divides both logits; the value is not multiplied by its square. */
  readonly temperature: number;
}

/**
 * Logits minus their maximum, divided by the temperature: in this order, because a large logit
 * divided first is rounded by more than the differences that matter.
 */
function scaledLogits(logits: tf.Tensor, temperature: number): tf.Tensor {
  const shifted = logits.sub(logits.max(-1, true));
  return temperature === 1 ? shifted : shifted.div(temperature);
}

function logSoftmax(logits: tf.Tensor, temperature: number): tf.Tensor {
  const scaled = scaledLogits(logits, temperature);
  return scaled.sub(scaled.exp().sum(-1, true).log());
}

/** Probabilities at the temperature. */
export function softmax(logits: tf.Tensor, temperature: number): tf.Tensor {
  return tf.softmax(temperature === 1 ? logits : scaledLogits(logits, temperature));
}

/**
 * Log-probabilities of both at the temperature. The two are computed in the same way, so that equal
 * logits differ by exactly 0. A logit of −1e9 gives probability 0 and a finite log-probability,
 * hence 0 · log 0 = 0 without a special case.
 */
export function logProbabilities(
  { studentLogits, teacherLogits }: DivergenceInputs,
  { temperature }: TemperatureAttributes,
): { logStudent: tf.Tensor; logTeacher: tf.Tensor } {
  return {
    logStudent: logSoftmax(studentLogits, temperature),
    logTeacher: logSoftmax(teacherLogits, temperature),
  };
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
