import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { ruledOutByBoth } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";
import { scaleByTemperature, temperatureFields, type TemperatureOptions } from "../temperature.js";

export interface LogitMseOptions extends TemperatureOptions {
  /** Takes the mean of the position's logits off on both sides first. Default false. */
  readonly center?: boolean;
}

/**
 * Mean squared difference of the logits per token.
 *
 *     (1/V) Σ_v ((z^S_v − z^T_v) / τ)²
 *
 * The mean is over the vocabulary. A constant that is added to all logits changes no probability but
 * this value; `center` takes each side's mean off first, which removes that.
 * A token that both rule out with −Infinity differs by 0 and has no part in the mean that `center`
 * takes; one that only one of them rules out makes the value infinite.
 * Gradient with respect to the student's logits: 2 (z^S − z^T) / (V τ²).
 *
 * @param studentLogits `[B, T, V]`
 * @param teacherLogits `[B, T, V]`; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2105.08919 (logit matching); https://arxiv.org/abs/1312.6184
 */
export function logitMse(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: LogitMseOptions = {},
): tf.Tensor2D {
  const { center = false, temperature = 1 } = options;
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  return tf.tidy(() => {
    const ruledOut = ruledOutByBoth(studentLogits, teacherLogits);
    const gap = studentLogits.sub(stopGradient(teacherLogits)).div(temperature);
    const centered = center ? gap.sub(meanOfFinite(gap)) : gap;
    const compared = tf.where(ruledOut, tf.zerosLike(studentLogits), centered);
    return scaleByTemperature(compared.square().mean(-1), options);
  });
}

/** Mean along the last axis of the entries that are finite. */
function meanOfFinite(x: tf.Tensor): tf.Tensor {
  const counts = tf.isFinite(x);
  const sum = tf.where(counts, x, tf.zerosLike(x)).sum(-1, true);
  return sum.div(counts.toFloat().sum(-1, true).maximum(1));
}

export const logitMseLoss = defineLoss({
  name: "logit-mse",
  summary: "Mean squared difference between the student's and the teacher's logits.",
  direction: "none: symmetric in student and teacher",
  formula: "(1/V) Σ_v ((z^S_v − z^T_v) / τ)², with center: each side's mean over v taken off first",
  reference: "https://arxiv.org/abs/2105.08919 (logit matching)",
  whenToUse:
    "Small vocabularies and a student that can follow closely: unlike a KL it also matches the tokens that neither would say.",
  failureSignature:
    "The loss falls while the KL does not: with a large vocabulary nearly all of it is about tokens of no probability, and without center about a constant. Remedy: center, or forward-kl.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    center: z
      .boolean()
      .default(false)
      .describe("Takes the mean of the position's logits off on both sides first."),
    ...temperatureFields,
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true },
  examples: [{}, { center: true, temperature: 2 }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    logitMse(studentLogits, teacherLogits, config),
});
