import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { reverseKlFromLogits } from "../../ops/index.js";
import { defineLoss } from "../define.js";
import {
  scaleByTemperature,
  temperatureFields,
  temperatureOfRows,
  type TemperatureOptions,
} from "../temperature.js";

/**
 * Reverse KL, KL(student ‖ teacher), in nats per token: the student stays where the teacher finds
 * its choices likely.
 *
 *     Σ_v S_v (log S_v − log T_v),   T = softmax(teacher / τ), S = softmax(student / τ)
 *
 * 0 · log 0 = 0. Gradient with respect to the student's logits:
 * S_v ((log S_v − log T_v) − KL) / τ. None flows into the teacher. A teacher that rules a token out
 * must do so with a large finite negative logit (−1e9), not with −Infinity.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2306.08543, equation 1; https://arxiv.org/abs/2306.13649, section 3
 */
export function reverseKl(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: TemperatureOptions = {},
): tf.Tensor2D {
  const { temperature = 1 } = options;
  return tf.tidy(() =>
    scaleByTemperature(reverseKlFromLogits(studentLogits, teacherLogits, { temperature }), options),
  );
}

export const reverseKlLoss = defineLoss({
  name: "reverse-kl",
  summary: "KL(student ‖ teacher) over the whole vocabulary; mode-seeking.",
  direction: "KL(student ‖ teacher), mode-seeking",
  formula: "Σ_v S_v (log S_v − log T_v)",
  reference: "https://arxiv.org/abs/2306.08543 (equation 1)",
  whenToUse:
    "On samples of the student (on policy): it is moved away from what the teacher would not say, and its own errors are corrected.",
  failureSignature:
    "Entropy collapse: the entropy of the student falls, samples repeat, and forward KL rises while this value falls. Remedy: skew-kl, generalized-jsd with beta below 1, or a small forward-kl term.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject(temperatureFields),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }, { temperature: 0.5, temperatureSquared: true }],
  rowLosses: (config) => [{ kind: "reverseKl", ...temperatureOfRows(config) }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    reverseKl(studentLogits, teacherLogits, config),
});
