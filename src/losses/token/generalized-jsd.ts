import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { generalizedJsdFromLogits } from "../../ops/index.js";
import { defineLoss } from "../define.js";
import {
  scaleByTemperature,
  temperatureFields,
  temperatureOfRows,
  type TemperatureOptions,
} from "../temperature.js";

export interface GeneralizedJsdOptions extends TemperatureOptions {
  /** Weight of the teacher in the mixture, from 0 to 1. Default 0.5. */
  readonly beta?: number;
  /** Divides by β (1 − β). Default false. */
  readonly normalized?: boolean;
}

/**
 * Generalized Jensen-Shannon divergence in nats per token. β weights the teacher.
 *
 *     β KL(T ‖ M) + (1 − β) KL(S ‖ M),   M = β T + (1 − β) S
 *
 * The mixture is taken in probability space. β = 0 is replaced by KL(T ‖ S) and β = 1 by
 * KL(S ‖ T), as in GKD; the formula itself goes to 0 at both ends, so a small β means a small
 * gradient. `normalized` divides by β (1 − β), which goes to those two KLs continuously: a sweep
 * over β then changes the shape of the loss and not its size.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`, at most ln 2 for β = 0.5 when not normalized
 * @see https://arxiv.org/abs/2306.13649, equation 1
 */
export function generalizedJsd(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: GeneralizedJsdOptions = {},
): tf.Tensor2D {
  const { beta = 0.5, normalized = false, temperature = 1 } = options;
  const attributes = { temperature, beta, normalized };
  return tf.tidy(() =>
    scaleByTemperature(generalizedJsdFromLogits(studentLogits, teacherLogits, attributes), options),
  );
}

export const generalizedJsdLoss = defineLoss({
  name: "generalized-jsd",
  summary: "Jensen-Shannon divergence between forward KL (beta 0) and reverse KL (beta 1).",
  direction:
    "from KL(teacher ‖ student) at beta 0 to KL(student ‖ teacher) at beta 1; beta weights the teacher",
  formula: "β KL(T ‖ M) + (1 − β) KL(S ‖ M) with M = β T + (1 − β) S",
  reference: "https://arxiv.org/abs/2306.13649 (equation 1)",
  whenToUse:
    "When forward KL spreads too much and reverse KL collapses: it is bounded, so single tokens cannot dominate the gradient.",
  failureSignature:
    "With beta near 0 or 1 the gradient is about beta · (1 − beta) times that of the KL and nothing is learned. Remedy: normalized, or another learning rate.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    beta: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("Weight of the teacher in the mixture; 0 is the forward KL, 1 the reverse KL."),
    normalized: z
      .boolean()
      .default(false)
      .describe("Divides by beta · (1 − beta), so that beta changes the shape and not the size."),
    ...temperatureFields,
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [
    {},
    { beta: 0.1, temperature: 2 },
    { beta: 0.9, normalized: true, temperature: 0.5, temperatureSquared: true },
    { beta: 0 },
    { beta: 1, normalized: true },
  ],
  rowLosses: ({ beta, normalized, ...config }) => [
    { kind: "generalizedJsd", beta, normalized, ...temperatureOfRows(config) },
  ],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    generalizedJsd(studentLogits, teacherLogits, config),
});
