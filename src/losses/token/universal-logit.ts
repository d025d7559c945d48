import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { logProbsFromLogits, scatterToVocabulary } from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { stopGradient } from "../stop-gradient.js";
import { scaleByTemperature, temperatureFields, type TemperatureOptions } from "../temperature.js";

/**
 * Universal logit distillation: compares the sorted probabilities, so the vocabularies may differ in
 * size and order. Per token, from 0 to 2.
 *
 *     Σ_i |S_(i) − T_(i)|,   S_(1) ≥ S_(2) ≥ …,   the shorter one continued with zeros
 *
 * It is blind to which token has which probability: a student that is sure of a wrong token has the
 * same value as one that is sure of the right one, so it needs a term on labels beside it. Positions
 * are paired by index; who supplies them has to align the two tokenizations.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, W]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2402.12030 (universal logit distillation)
 */
export function universalLogit(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: TemperatureOptions = {},
): tf.Tensor2D {
  const { temperature = 1 } = options;
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T W" });
  return tf.tidy(() => {
    const [V, W] = [studentLogits.shape[2], teacherLogits.shape[2]];
    const student = logProbsFromLogits(studentLogits, { temperature }).exp();
    const teacher = logProbsFromLogits(stopGradient(teacherLogits), { temperature }).exp();
    // Sorting has no gradient in tfjs. With the order and the signs as constants, the distance is
    // linear in the student's probabilities.
    const sorted = tf.topk(stopGradient(student), V, true);
    const size = Math.max(V, W);
    const teacherSorted = padTo(tf.topk(teacher, W, true).values, size);
    const signs = padTo(sorted.values, size).sub(teacherSorted).sign();
    const ownSigns = signs.slice([0, 0, 0], [-1, -1, V]);
    const signOfToken = stopGradient(scatterToVocabulary(ownSigns, sorted.indices, V));
    const offset = stopGradient(signs.mul(teacherSorted).sum(-1));
    const distance = student.mul(signOfToken).sum(-1).sub(offset);
    return scaleByTemperature(distance as tf.Tensor2D, options);
  });
}

/** `[B, T, V]` continued with zeros to `[B, T, size]`. */
function padTo(values: tf.Tensor, size: number): tf.Tensor {
  const missing = size - (values.shape[2] as number);
  return missing === 0
    ? values
    : values.pad([
        [0, 0],
        [0, 0],
        [0, missing],
      ]);
}

export const universalLogitLoss = defineLoss({
  name: "universal-logit",
  summary: "Distance of the sorted probabilities; the vocabularies may differ.",
  direction: "none: symmetric in student and teacher",
  formula: "Σ_i |S_(i) − T_(i)| over probabilities in falling order, zeros appended to the shorter",
  reference: "https://arxiv.org/abs/2402.12030 (universal logit distillation)",
  whenToUse:
    "When the teacher has another tokenizer, beside cross-entropy on the teacher's text: it passes on how sure the teacher is.",
  failureSignature:
    "The value falls to 0 while accuracy does not rise: the student is as sure as the teacher, of other tokens. Remedy: a cross-entropy term with at least the same weight.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject(temperatureFields),
  properties: {
    nonNegative: true,
    zeroWhenStudentEqualsTeacher: true,
    shiftInvariant: true,
    allowsOtherVocabulary: true,
  },
  examples: [{}, { temperature: 2 }],
  evaluate: ({ studentLogits, teacherLogits }, config) =>
    universalLogit(studentLogits, teacherLogits, config),
});
