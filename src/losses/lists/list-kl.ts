import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss } from "../define.js";
import {
  checkedLists,
  type ScoredLists,
  scoredListInputs,
  scoresAsLogits,
} from "../scored-lists.js";
import { temperatureFields, type TemperatureOptions } from "../temperature.js";
import { forwardKl } from "../token/index.js";

/**
 * Forward KL over the candidates of a list, KL(teacher ‖ student), in nats per list.
 *
 *     Σ_i p_i (log p_i − log q_i),   p = softmax(t / τ), q = softmax(s / τ)
 *
 * It is {@link forwardKl} with the list as the vocabulary. DeAR has τ = 2 and multiplies by τ²
 * (`temperatureSquared`).
 *
 * @param lists scores `[B, N]` with `listMask`; a list without candidates gives 0
 * @returns `[B]`
 * @see https://arxiv.org/abs/2508.16998; its released pointwise_reranker/modeling.py
 */
export function listKl(lists: ScoredLists, options: TemperatureOptions = {}): tf.Tensor1D {
  return tf.tidy(() => {
    const { studentScores, teacherScores, listMask } = checkedLists(lists);
    const student = scoresAsLogits(studentScores, listMask);
    const teacher = scoresAsLogits(teacherScores, listMask);
    return forwardKl(student, teacher, options).squeeze<tf.Tensor1D>([1]);
  });
}

export const listKlLoss = defineLoss({
  name: "list-kl",
  summary: "KL(teacher ‖ student) over the candidates of a list.",
  direction: "KL(teacher ‖ student) over the candidates",
  formula:
    "Σ_i p_i (log p_i − log q_i), p and q the softmax over the list of t and s over temperature",
  reference: "https://arxiv.org/abs/2508.16998 (stage 1)",
  whenToUse:
    "Distilling a reranker whose scores carry confidence; DeAR adds it to candidate-cross-entropy or rank-net.",
  failureSignature:
    "The loss is small from the start and the ranking stays bad: the teacher's scores are so close that its distribution is flat. Remedy: a lower temperature, or rank-net.",
  per: "row",
  needs: scoredListInputs,
  config: z.strictObject(temperatureFields),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { temperature: 2, temperatureSquared: true }, { temperature: 0.5 }],
  evaluate: (inputs, config) => listKl(inputs, config),
});
