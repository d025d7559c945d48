import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { logProbsFromLogits } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { aggregationFields, aggregationOf } from "../aggregation.js";
import { defineLoss } from "../define.js";
import { finiteLogProbs } from "../masked.js";

/**
 * Entropy of the student's next token with its sign turned, in nats per token: to minimize it keeps the
 * student undecided.
 *
 *     −H(S) = Σ_v S_v log S_v
 *
 * From −log V to 0. It is KL(S ‖ uniform) − log V. The gradient with respect to a logit is
 * S_v (log S_v + H). A token that is ruled out has no part.
 *
 * @param studentLogits `[B, T, V]`
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/1707.06347, equation 9 (the bonus S, with the other sign)
 */
export function negativeEntropy(studentLogits: tf.Tensor3D): tf.Tensor2D {
  assertShape({ studentLogits }, { studentLogits: "B T V" });
  return tf.tidy(() => {
    const logProbs = logProbsFromLogits(studentLogits);
    return logProbs.exp().mul(finiteLogProbs(logProbs)).sum(-1) as tf.Tensor2D;
  });
}

export const negativeEntropyLoss = defineLoss({
  name: "negative-entropy",
  summary: "The student's entropy with its sign turned: with a small weight it keeps it trying.",
  formula: "Σ_v S_v log S_v",
  reference: "https://arxiv.org/abs/1707.06347 (equation 9)",
  whenToUse:
    "Beside policy-gradient, with a weight of about 0.001 to 0.01, where the student's entropy falls before its reward has risen.",
  failureSignature:
    "The student's entropy grows without end and its completions turn to noise: the bonus outweighs rewards. Remedy: a smaller weight.",
  per: "token",
  needs: ["studentLogits"],
  config: z.strictObject({
    ...aggregationFields("As in policy-gradient; to be the same as its."),
  }),
  properties: { shiftInvariant: true },
  examples: [{}, { aggregation: "sequence" }, { aggregation: "fixed-length", fixedLength: 4 }],
  aggregation: aggregationOf,
  evaluate: ({ studentLogits }) => negativeEntropy(studentLogits),
});
