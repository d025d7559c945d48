import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { importanceRatio } from "../importance-ratio.js";
import { logRatio, splitInfinite } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";

const estimators = ["k2", "policy-gradient", "k3-forward-gradient", "k1-no-gradient"] as const;
export type SampledKlEstimator = (typeof estimators)[number];

export interface SampledReverseKlOptions {
  /** Default `k2`. */
  readonly estimator?: SampledKlEstimator;
  /** `[B, T]`, from when the tokens were sampled; for `policy-gradient`. Default: as now. */
  readonly oldTokenLogProbs?: tf.Tensor2D;
}

/** Names that other projects use and why they are no choice here. */
const refused: Readonly<Record<string, string>> = {
  k1: 'k1 = log S − log T has the right mean, KL(student ‖ teacher), but an expected gradient of exactly 0: nothing would be learned. Use "k2" or "policy-gradient", or "k1-no-gradient" to see just that. The enumeration is in docs/losses.md, "Estimators as losses".',
  k3: 'k3 = T/S − 1 + log S − log T has the right mean, KL(student ‖ teacher), but its expected gradient is that of the other direction, KL(teacher ‖ student). Use "k2" or "policy-gradient", or "k3-forward-gradient" if that is what you want. The enumeration is in docs/losses.md, "Estimators as losses".',
};

/** e^20 is where k3 stops growing and its gradient stops. */
const largestExponent = 20;

/**
 * Reverse KL, KL(student ‖ teacher), from one log-probability per token that the student sampled.
 * With d = log S(y) − log T(y), y ~ S:
 *
 *     k2                   d² / 2
 *     policy-gradient      ρ sg(log S_old(y) − log T(y)),   ρ = S(y) / S_old(y)
 *     k3-forward-gradient  e^(−d) − 1 + d
 *     k1-no-gradient       d
 *
 * The gradient of k2 and of policy-gradient with respect to log S(y) is d (at ρ = 1), and its mean
 * over y is that of the reverse KL. That of k3 is 1 − T/S, and its mean is the gradient of the
 * *forward* KL: a loss for those who want that, with a name that says so. The gradient of k1 is 1,
 * whose mean over y is 0: it moves the student about at random, for those who want to show that. The mean
 * of k2's value is not the KL; that of the others is.
 *
 * A token that the teacher rules out (log T = −Infinity) makes the value infinite, as the KL is; one
 * that both rule out has d = 0.
 *
 * As all losses on sampled tokens it leaves out what a token does to the prefixes after it.
 *
 * @param tokenLogProbs `[B, T]`, log S(y)
 * @param teacherTokenLogProbs `[B, T]`, log T(y); no gradient flows into it
 * @returns `[B, T]`
 * @throws PupilError for k1 and k3 by their bare names
 * @see http://joschu.net/blog/kl-approx.html (the estimators as values)
 */
export function sampledReverseKl(
  tokenLogProbs: tf.Tensor2D,
  teacherTokenLogProbs: tf.Tensor2D,
  options: SampledReverseKlOptions = {},
): tf.Tensor2D {
  const { estimator = "k2", oldTokenLogProbs = tokenLogProbs } = options;
  assertShape(
    { tokenLogProbs, teacherTokenLogProbs, oldTokenLogProbs },
    { tokenLogProbs: "B T", teacherTokenLogProbs: "B T", oldTokenLogProbs: "B T" },
  );
  const refusal = refused[estimator];
  if (refusal !== undefined)
    throw new PupilError(refusal, { field: "estimator", value: estimator });
  return tf.tidy(() => {
    const teacher = stopGradient(teacherTokenLogProbs);
    const { finite: difference, infinite } = splitInfinite(logRatio(tokenLogProbs, teacher));
    switch (estimator) {
      case "k2":
        return difference.square().mul(0.5).add(infinite.abs());
      case "policy-gradient": {
        const cost = splitInfinite(stopGradient(logRatio(oldTokenLogProbs, teacher)));
        const ratio = importanceRatio(tokenLogProbs, oldTokenLogProbs);
        return ratio.mul(cost.finite).add(cost.infinite);
      }
      case "k3-forward-gradient": {
        const k3 = difference.neg().minimum(largestExponent).exp().sub(1).add(difference);
        return k3.add(infinite.abs());
      }
      case "k1-no-gradient":
        return difference.add(infinite);
    }
  });
}

export const sampledReverseKlLoss = defineLoss({
  name: "sampled-reverse-kl",
  summary: "KL(student ‖ teacher) from the log-probabilities of the student's own samples alone.",
  direction:
    "KL(student ‖ teacher), mode-seeking, from tokens of the student; k3-forward-gradient: KL(teacher ‖ student)",
  formula: "k2: d²/2; policy-gradient: ρ sg(log S_old − log T); d = log S(y) − log T(y), y ~ S",
  reference: "http://joschu.net/blog/kl-approx.html (estimators; gradients in docs/losses.md)",
  whenToUse:
    "A teacher that only scores given tokens. With the teacher's whole distribution at hand reverse-kl has the same gradient on average and no noise.",
  failureSignature:
    "Spikes of the gradient norm at tokens that the teacher all but rules out: d is large there. Remedy: maxGradNorm, more samples per step, or reverse-kl.",
  per: "token",
  needs: ["tokenLogProbs", "teacherTokenLogProbs"],
  optional: ["oldTokenLogProbs"],
  config: z.strictObject({
    estimator: z
      .enum(estimators, { error: ({ input }) => refused[String(input)] })
      .default("k2")
      .describe(
        "k2 and policy-gradient have the gradient of the reverse KL; k3-forward-gradient has that of the forward KL; k1-no-gradient has none on average, and is there to show it.",
      ),
  }),
  caution: ({ estimator }) =>
    estimator === "k1-no-gradient"
      ? 'the gradient of k1 is 0 on average, so that it teaches nothing and only adds noise (docs/losses.md, "Estimators as losses").'
      : undefined,
  properties: {},
  examples: estimators.map((estimator) => ({ estimator })),
  evaluate: ({ tokenLogProbs, teacherTokenLogProbs, oldTokenLogProbs }, config) =>
    sampledReverseKl(tokenLogProbs, teacherTokenLogProbs, {
      ...config,
      ...(oldTokenLogProbs === undefined ? {} : { oldTokenLogProbs }),
    }),
});
