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

/** Probabilities at the temperature. */
export function softmax(logits: tf.Tensor, temperature: number): tf.Tensor {
  return tf.softmax(temperature === 1 ? logits : scaledLogits(logits, temperature));
}

/**
 * Probabilities and log-probabilities at the temperature. A logit of −1e9 gives probability 0 and a
 * finite log-probability, hence 0 · log 0 = 0 without a special case. Equal logits give equal
 * numbers, so that their differences are exactly 0.
 */
export function distribution(
  logits: tf.Tensor,
  temperature: number,
): { probabilities: tf.Tensor; logProbs: tf.Tensor } {
  const scaled = scaledLogits(logits, temperature);
  const probabilities = tf.softmax(scaled);
  // The largest probability is 1 / Σ exp(scaled), so its logarithm is what normalizes.
  return { probabilities, logProbs: scaled.add(probabilities.max(-1, true).log()) };
}

/** Differentiable log-probabilities, for the references. */
export function composedLogSoftmax(logits: tf.Tensor, temperature: number): tf.Tensor {
  return tf.logSoftmax(scaledLogits(logits, temperature));
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
