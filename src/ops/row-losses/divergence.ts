import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { requireTemperature } from "./temperature.js";

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
 * Probabilities and log-probabilities at the temperature. A logit of −Infinity gives probability 0
 * and log-probability −Infinity. Equal logits give equal numbers, so that their differences are 0.
 */
export function distribution(
  logits: tf.Tensor,
  temperature: number,
): { probabilities: tf.Tensor; logProbs: tf.Tensor } {
  const scaled = scaledLogits(logits, temperature);
  const weights = scaled.exp();
  const total = weights.sum(-1, true);
  return { probabilities: weights.div(total), logProbs: scaled.sub(total.log()) };
}

/** The smallest normal float32: below it backends differ in what they can hold. */
const smallestNormal = 1.1754943508222875e-38;

/**
 * `x` where the probability is not 0, and 0 elsewhere: 0 · log 0 = 0, whatever the other side says
 * about that token, −Infinity included. Also where the probability is below 1.2e-38, as of a logit of
 * −1e9: whoever masks by such a number has masked as much as one who writes −Infinity.
 */
export function whereLikely(probabilities: tf.Tensor, x: tf.Tensor): tf.Tensor {
  return tf.where(probabilities.greaterEqual(smallestNormal), x, tf.zerosLike(x));
}

/** KL(p ‖ q) along the last axis: +Infinity where q rules out a token that p does not. */
export function klOf(
  p: { readonly probabilities: tf.Tensor; readonly logProbs: tf.Tensor },
  logQ: tf.Tensor,
): tf.Tensor {
  return p.probabilities.mul(whereLikely(p.probabilities, p.logProbs.sub(logQ))).sum(-1);
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
  requireTemperature(temperature);
}
