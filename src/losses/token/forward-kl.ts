import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { forwardKlFromLogits } from "../../ops/index.js";
import { defineLoss } from "../define.js";
import {
  scaleByTemperature,
  temperatureFields,
  temperatureOfRows,
  type TemperatureOptions,
} from "../temperature.js";

/**
 * Forward KL, KL(teacher ‖ student), in nats per token: the student covers everything that the
 * teacher finds likely.
 *
 *     Σ_v T_v (log T_v − log S_v),   T = softmax(teacher / τ), S = softmax(student / τ)
 *
 * The entropy of the teacher is included, so the value is 0 where the two agree, and 0 · log 0 = 0.
 * Gradient with respect to the student's logits: (S − T) / τ. None flows into the teacher.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/1503.02531, section 2
 */
export function forwardKl(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: TemperatureOptions = {},
): tf.Tensor2D {
  const { temperature = 1 } = options;
  return tf.tidy(() =>
    scaleByTemperature(forwardKlFromLogits(studentLogits, teacherLogits, { temperature }), options),
  );
}

export const forwardKlLoss = defineLoss({
  name: "forward-kl",
  summary: "KL(teacher ‖ student) over the whole vocabulary; mass-covering.",
  direction: "KL(teacher ‖ student), mass-covering",
  formula: "Σ_v T_v (log T_v − log S_v)",
  reference: "https://arxiv.org/abs/1503.02531 (section 2)",
  whenToUse:
    "When the student can be as rich as the teacher, or when the rows come from the data: the student learns everything that the teacher would say.",
  failureSignature:
    "A student that is too small spreads its mass between the modes of the teacher, and its samples are worse than its loss. Remedy: reverse-kl or generalized-jsd on its own samples.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject(temperatureFields),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { temperature: 2 }, { temperature: 0.5, temperatureSquared: true }],
  rowLosses: (config) => [{ kind: "forwardKl", ...temperatureOfRows(config) }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    forwardKl(studentLogits, teacherLogits, config),
});
