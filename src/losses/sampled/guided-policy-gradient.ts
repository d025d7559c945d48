import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { aggregationFields, aggregationOf } from "../aggregation.js";
import { defineLoss } from "../define.js";
import { stopGradient } from "../stop-gradient.js";

export interface GuidedPolicyGradientOptions {
  /** c, above 0. Default 0.1. */
  readonly shape?: number;
  /** Leaves out tokens with an advantage below 0. Default false. */
  readonly onlyPositive?: boolean;
}

/**
 * Policy gradient on tokens that somebody else wrote, for which there is no policy to form a ratio
 * with.
 *
 *     −A f(p),   f(p) = p / (p + c),   p = π(y)
 *
 * The gradient with respect to log π(y) is −A p c / (p + c)²: largest at p = c, and near 0 both for
 * tokens that the student would never write and for those that it is sure of. With `onlyPositive` a
 * token with A ≤ 0 has the value 0. No gradient flows into the advantages.
 *
 * @param tokenLogProbs `[B, T]`, log π(y)
 * @param guidedAdvantages `[B, T]`, 0 for tokens that the student wrote
 * @returns `[B, T]`
 * @see AMPO, code SII-Enigma/AMPO mix_core_alg.py (c = 0.1); f is LUFFY's, https://arxiv.org/abs/2504.14945
 */
export function guidedPolicyGradient(
  tokenLogProbs: tf.Tensor2D,
  guidedAdvantages: tf.Tensor2D,
  options: GuidedPolicyGradientOptions = {},
): tf.Tensor2D {
  const { shape = 0.1, onlyPositive = false } = options;
  assertShape(
    { tokenLogProbs, guidedAdvantages },
    { tokenLogProbs: "B T", guidedAdvantages: "B T" },
  );
  return tf.tidy(() => {
    const gain = stopGradient(guidedAdvantages);
    const counted = onlyPositive ? gain.relu() : gain;
    const probability = tokenLogProbs.exp();
    return tf.sub(0, counted.mul(probability.div(probability.add(shape))));
  });
}

export const guidedPolicyGradientLoss = defineLoss({
  name: "guided-policy-gradient",
  summary:
    "Policy gradient on tokens that a teacher wrote into a rollout, shaped by how likely the student finds them.",
  formula: "−A p/(p + c), p = π(y)",
  reference:
    "AMPO (Adaptive Multi-Guidance Policy Optimization); https://arxiv.org/abs/2504.14945 (the shaping)",
  whenToUse:
    "Beside policy-gradient, with a sampler that injects traces or continues them: it counts the tokens that the student did not write, and policy-gradient those that it did.",
  failureSignature:
    "The student copies the guidance and its own samples become alike (pass@k falls while pass@1 rises). Remedy: guidance only where all samples fail, a larger c, or a smaller weight.",
  per: "token",
  needs: ["tokenLogProbs", "guidedAdvantages"],
  config: z.strictObject({
    shape: z
      .number()
      .positive()
      .default(0.1)
      .describe("c: the probability at which a token moves the student most."),
    onlyPositive: z
      .boolean()
      .default(false)
      .describe("Leaves out tokens with an advantage of 0 or less (ThinkTuning [REC])."),
    ...aggregationFields("As in policy-gradient; to be the same as its."),
  }),
  properties: {},
  examples: [
    {},
    { shape: 0.5, onlyPositive: true, aggregation: "sequence" },
    { shape: 0.02, aggregation: "fixed-length", fixedLength: 4 },
  ],
  aggregation: aggregationOf,
  evaluate: ({ tokenLogProbs, guidedAdvantages }, config) =>
    guidedPolicyGradient(tokenLogProbs, guidedAdvantages, config),
});
