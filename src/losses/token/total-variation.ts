import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { logProbsFromLogits } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { stopGradient } from "../stop-gradient.js";
import { scaleByTemperature, temperatureFields, type TemperatureOptions } from "../temperature.js";

/**
 * Total variation distance between student and teacher per token, from 0 to 1: the largest
 * difference in the probability that they give to any set of tokens.
 *
 *     ½ Σ_v |S_v − T_v|
 *
 * Symmetric. Gradient with respect to the student's logits, with s = sign(S − T) (0 where they
 * agree): ½ S_v (s_v − Σ_u S_u s_u) / τ. It fades with S: a token that the student has ruled out
 * cannot come back by it.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2307.15190 (f-DISTILL)
 */
export function totalVariation(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: TemperatureOptions = {},
): tf.Tensor2D {
  const { temperature = 1 } = options;
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  return tf.tidy(() => {
    const student = logProbsFromLogits(studentLogits, { temperature }).exp();
    const teacher = logProbsFromLogits(stopGradient(teacherLogits), { temperature }).exp();
    const difference = student.sub(teacher);
    // |x| as sign(x) · x: tfjs's gradient of |x| is −1 at 0.
    const distance = stopGradient(difference.sign()).mul(difference).sum(-1).mul(0.5);
    return scaleByTemperature(distance as tf.Tensor2D, options);
  });
}

export const totalVariationLoss = defineLoss({
  name: "total-variation",
  summary: "Total variation distance between student and teacher; symmetric, between 0 and 1.",
  direction: "none: symmetric in student and teacher",
  formula: "½ Σ_v |S_v − T_v|",
  reference: "https://arxiv.org/abs/2307.15190 (f-DISTILL)",
  whenToUse:
    "When single tokens must not dominate: every token's part is bounded by its probability. Also the quantity that speculative decoding accepts by.",
  failureSignature:
    "The loss stands near 1 and nothing moves: a student that is sure and wrong has hardly any gradient. Remedy: start with forward-kl, or add a part of it.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject(temperatureFields),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }, { temperature: 0.5, temperatureSquared: true }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    totalVariation(studentLogits, teacherLogits, config),
});
