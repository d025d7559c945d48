import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import { temperatureFields, temperatureOfRows, type TemperatureOptions } from "../temperature.js";
import { forwardKl } from "./forward-kl.js";
import { reverseKl } from "./reverse-kl.js";

export interface SymmetricKlOptions extends TemperatureOptions {
  /** Weight of the forward KL, from 0 to 1. Default 0.5. */
  readonly forwardWeight?: number;
}

/**
 * Weighted sum of both KL directions, in nats per token.
 *
 *     w KL(T ‖ S) + (1 − w) KL(S ‖ T)
 *
 * w = 1 is the forward KL, w = 0 the reverse KL. Not a Jensen-Shannon divergence, though some
 * projects call it one: there is no mixture in it and it is not bounded.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see torchtune's SymmetricKLLoss: `forwardWeight` is its `sym_kd_ratio`
 */
export function symmetricKl(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: SymmetricKlOptions = {},
): tf.Tensor2D {
  const { forwardWeight = 0.5, ...temperature } = options;
  return tf.tidy(() => {
    // Either may be infinite, and 0 · ∞ is no number: at an end the other one has no part.
    if (forwardWeight === 1) return forwardKl(studentLogits, teacherLogits, temperature);
    if (forwardWeight === 0) return reverseKl(studentLogits, teacherLogits, temperature);
    const forward = forwardKl(studentLogits, teacherLogits, temperature);
    const reverse = reverseKl(studentLogits, teacherLogits, temperature);
    return forward.mul(forwardWeight).add(reverse.mul(1 - forwardWeight));
  });
}

export const symmetricKlLoss = defineLoss({
  name: "symmetric-kl",
  summary: "Weighted sum of KL(teacher ‖ student) and KL(student ‖ teacher).",
  direction: "both: forwardWeight of KL(teacher ‖ student), the rest of KL(student ‖ teacher)",
  formula: "w KL(T ‖ S) + (1 − w) KL(S ‖ T)",
  reference:
    "https://github.com/meta-pytorch/torchtune/blob/main/torchtune/modules/loss/kd_losses.py (SymmetricKLLoss)",
  whenToUse:
    "When reverse KL alone loses too much of the teacher's variety: a part of forward KL keeps the student covering it.",
  failureSignature:
    "Where the teacher all but rules out a token the reverse part dominates the gradient, and where the student does, the forward part: spikes of the gradient norm. Remedy: generalized-jsd, which is bounded.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    forwardWeight: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("Weight of the forward KL; the reverse KL has the rest."),
    ...temperatureFields,
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { forwardWeight: 0.2, temperature: 2 }],
  rowLosses: ({ forwardWeight, ...config }) =>
    [
      { kind: "forwardKl" as const, ...temperatureOfRows(config, forwardWeight) },
      { kind: "reverseKl" as const, ...temperatureOfRows(config, 1 - forwardWeight) },
    ].filter(({ scale }) => scale !== 0),
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    symmetricKl(studentLogits, teacherLogits, config),
});
