import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import { logProbsFromLogits } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { finiteLogProbs } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";
import { scaleByTemperature, temperatureFields, type TemperatureOptions } from "../temperature.js";
import { forwardKl } from "./forward-kl.js";
import { reverseKl } from "./reverse-kl.js";

export interface SkewKlOptions extends TemperatureOptions {
  /** Share of the first distribution in the mixture, from 0 up to but not including 1. Default 0.1. */
  readonly alpha?: number;
  /** Default `forward`. */
  readonly direction?: "forward" | "reverse";
  /** Keeps the student's part of the mixture out of the gradient; reverse only. Default false. */
  readonly detachMixture?: boolean;
}

/**
 * Skew KL: the second distribution is mixed with a share of the first, so that the logarithm cannot
 * explode where the second has almost no mass. In nats per token.
 *
 *     forward:  KL(T ‖ α T + (1 − α) S)
 *     reverse:  KL(S ‖ α S + (1 − α) T)
 *
 * α = 0 is the plain KL. The value is at most −log α, also where one side rules tokens out with
 * −Infinity. The mixture is taken in probability space.
 *
 * With `detachMixture` the S inside the mixture of the reverse direction gets no gradient, as in the
 * code of DistiLLM-2; in the forward direction nothing would be left to train, so it is refused.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2402.03898 (skew KL); https://arxiv.org/abs/2503.07067
 */
export function skewKl(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: SkewKlOptions = {},
): tf.Tensor2D {
  const { alpha = 0.1, direction = "forward", detachMixture = false, temperature = 1 } = options;
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  if (!(alpha >= 0 && alpha < 1)) {
    throw new PupilError(`must be in [0, 1), got ${alpha}.`, { field: "alpha", value: alpha });
  }
  if (alpha === 0) {
    const plainKl = direction === "forward" ? forwardKl : reverseKl;
    return plainKl(studentLogits, teacherLogits, options);
  }
  return tf.tidy(() => {
    const student = finiteLogProbs(logProbsFromLogits(studentLogits, { temperature }));
    const teacher = finiteLogProbs(
      logProbsFromLogits(stopGradient(teacherLogits), { temperature }),
    );
    const divergence =
      direction === "forward"
        ? divergenceFromMixture(teacher, student, alpha, false)
        : divergenceFromMixture(student, teacher, alpha, detachMixture);
    return scaleByTemperature(divergence, options);
  });
}

/** KL(p ‖ α p + (1 − α) q) of log-probabilities; with `detach` no gradient for the p in the mixture. */
function divergenceFromMixture(
  logP: tf.Tensor3D,
  logQ: tf.Tensor3D,
  alpha: number,
  detach: boolean,
): tf.Tensor2D {
  const mixed = detach ? stopGradient(logP) : logP;
  // log(M/p) = log α + log(1 + (1 − α) q / (α p)), whose gradient is finite where p is 0.
  const odds = logQ.sub(mixed).add(Math.log((1 - alpha) / alpha));
  const logMixtureOverP = tf.softplus(odds).add(Math.log(alpha));
  const logRatio = detach ? logMixtureOverP.add(mixed).sub(logP) : logMixtureOverP;
  return tf.sub(0, logP.exp().mul(logRatio).sum(-1));
}

const config = z
  .strictObject({
    alpha: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .describe("Share of the first distribution in the mixture; 0 is the plain KL."),
    direction: z
      .enum(["forward", "reverse"])
      .default("forward")
      .describe("forward: KL(teacher ‖ mixture). reverse: KL(student ‖ mixture)."),
    detachMixture: z
      .boolean()
      .default(false)
      .describe("Keeps the student's part of the mixture out of the gradient; reverse only."),
    ...temperatureFields,
  })
  .refine(({ direction, detachMixture }) => !(direction === "forward" && detachMixture), {
    path: ["detachMixture"],
    message:
      'with direction "forward" the student is in the mixture only, so nothing would be trained; use direction "reverse"',
  });

export const skewKlLoss = defineLoss({
  name: "skew-kl",
  summary: "KL of the teacher (or the student) to a mixture of both, which bounds the gradient.",
  direction:
    "forward: KL(teacher ‖ mixture), mass-covering; reverse: KL(student ‖ mixture), mode-seeking",
  formula: "forward: KL(T ‖ α T + (1 − α) S); reverse: KL(S ‖ α S + (1 − α) T)",
  reference: "https://arxiv.org/abs/2402.03898 (skew KL and skew reverse KL)",
  whenToUse:
    "Where the plain KL has spikes of the gradient: early in training, with a much larger teacher, or on samples of the student that the teacher finds impossible.",
  failureSignature:
    "With alpha near 1 the mixture is the first distribution itself and the value is near 0 whatever the student does. Remedy: alpha of about 0.1.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config,
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [
    {},
    { alpha: 0.3, temperature: 2 },
    { direction: "reverse" },
    { direction: "reverse", detachMixture: true, temperature: 2, temperatureSquared: true },
    { alpha: 0, direction: "reverse" },
  ],
  evaluate: ({ studentLogits, teacherLogits }, options) =>
    skewKl(studentLogits, teacherLogits, options),
});
