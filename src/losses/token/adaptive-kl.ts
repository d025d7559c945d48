import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { logProbsFromLogits } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { keepMasked } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";
import { scaleByTemperature, temperatureFields, type TemperatureOptions } from "../temperature.js";
import { forwardKl } from "./forward-kl.js";
import { reverseKl } from "./reverse-kl.js";

export interface AdaptiveKlOptions extends TemperatureOptions {
  /** Share of the teacher's mass that counts as its head, between 0 and 1. Default 0.5. */
  readonly headMass?: number;
}

/** Keeps 0 / 0 from being NaN where student and teacher agree. */
const smallestGap = 1e-30;

/**
 * Adaptive KL: at every position both KL directions, weighted by where student and teacher differ.
 *
 *     g_head / (g_head + g_tail) · KL(T ‖ S) + g_tail / (g_head + g_tail) · KL(S ‖ T)
 *     g_head = Σ_head |T_v − S_v|,   g_tail = Σ_tail |T_v − S_v|
 *
 * The head is the smallest set of the teacher's likeliest tokens with at least `headMass` of its
 * probability (tokens of equal probability stay together). The weights are taken as constants: no
 * gradient flows through them. Where student and teacher agree they would be 0/0; the value and its
 * gradient are 0 there.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2404.02657 (adaptive KL)
 */
export function adaptiveKl(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: AdaptiveKlOptions = {},
): tf.Tensor2D {
  const { headMass = 0.5, temperature = 1 } = options;
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  return tf.tidy(() => {
    const student = logProbsFromLogits(studentLogits, { temperature }).exp();
    const teacher = logProbsFromLogits(stopGradient(teacherLogits), { temperature }).exp();
    const gaps = teacher.sub(student).abs();
    const headGap = gaps.mul(headOf(teacher, headMass)).sum(-1);
    const forwardWeight = stopGradient(headGap.div(gaps.sum(-1).maximum(smallestGap)));
    const forward = forwardKl(studentLogits, teacherLogits, { temperature });
    const reverse = reverseKl(studentLogits, teacherLogits, { temperature });
    const weighted = weightedBy(forward, forwardWeight).add(
      weightedBy(reverse, tf.sub(1, forwardWeight)),
    );
    return scaleByTemperature(weighted as tf.Tensor2D, options);
  });
}

/** A KL times its weight: 0 for a weight of 0, be the KL infinite or not. */
function weightedBy(kl: tf.Tensor2D, weight: tf.Tensor): tf.Tensor {
  return keepMasked(kl, weight).mul(weight);
}

/** 1 for the tokens of the head, `[B, T, V]`: those before which less than `headMass` was gathered. */
function headOf(probabilities: tf.Tensor, headMass: number): tf.Tensor {
  const V = probabilities.shape[2] as number;
  const { values } = tf.topk(stopGradient(probabilities), V, true);
  const before = tf.cumsum(values, 2, true);
  const outside = tf.onesLike(values).mul(2);
  // The rarest token of the head sets the bar, so that no ranks have to be put back in place.
  const bar = tf.where(before.less(headMass), values, outside).min(-1, true);
  return probabilities.greaterEqual(bar).toFloat();
}

export const adaptiveKlLoss = defineLoss({
  name: "adaptive-kl",
  summary: "Both KL directions, weighted at every position by where student and teacher differ.",
  direction:
    "both: KL(teacher ‖ student) as far as they differ on the head, KL(student ‖ teacher) on the tail",
  formula:
    "g_head/(g_head+g_tail) KL(T ‖ S) + g_tail/(g_head+g_tail) KL(S ‖ T), g = Σ |T_v − S_v| over head and tail",
  reference: "https://arxiv.org/abs/2404.02657 (adaptive KL)",
  whenToUse:
    "Short trainings on data of the teacher: forward KL fits its likely tokens first and reverse KL its unlikely ones, and this puts the weight where the difference is.",
  failureSignature:
    "With a certain teacher the head is one token and the weights stay near one half: the loss behaves as symmetric-kl. Remedy: a larger headMass.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    headMass: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe("Share of the teacher's probability that makes up its head."),
    ...temperatureFields,
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { headMass: 0.8, temperature: 2 }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    adaptiveKl(studentLogits, teacherLogits, config),
});
