import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
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
    const difference = studentLogits.sub(stopGradient(teacherLogits)).div(temperature);
    const compared = center ? difference.sub(difference.mean(-1, true)) : difference;
    return scaleByTemperature(compared.square().mean(-1), options);
  });
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
