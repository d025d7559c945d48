import * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../../tensors/index.js";
import { defineKernel } from "../define.js";
import { type DivergenceInputs, distribution, klOf, whereLikely } from "./divergence.js";

/** The columns of {@link distributionStatistics}, in nats but for the last two. */
export const distributionStatisticNames = [
  "forwardKl",
  "reverseKl",
  "studentEntropy",
  "teacherEntropy",
  "totalVariation",
  "topOneAgreement",
] as const;

function compute({ studentLogits, teacherLogits }: DivergenceInputs): tf.Tensor {
  const student = distribution(studentLogits, 1);
  const teacher = distribution(teacherLogits, 1);
  const difference = teacher.probabilities.sub(student.probabilities);
  const sameTop = student.logProbs.argMax(-1).equal(teacher.logProbs.argMax(-1));
  const columns = [
    klOf(teacher, student.logProbs),
    klOf(student, teacher.logProbs),
    entropyOf(student),
    entropyOf(teacher),
    difference.abs().sum(-1).mul(0.5),
    sameTop.toFloat(),
  ];
  return tf.stack(columns, 1);
}

function entropyOf({ probabilities, logProbs }: ReturnType<typeof distribution>): tf.Tensor {
  return probabilities.mul(whereLikely(probabilities, logProbs)).sum(-1).neg();
}

const run = defineKernel<DivergenceInputs, object>("PupilDistributionStatistics", (inputs) => [
  compute(inputs),
]);

/**
 * What is to know about two next-token distributions S and T: KL(T ‖ S), KL(S ‖ T), the entropies of
 * S and T, their total variation ½ Σ |T − S|, and 1 where both have the same likeliest token.
 * Without gradient: for the log. A KL is +Infinity where the second distribution rules out a token
 * (a logit of −Infinity) that the first does not.
 *
 * @param studentLogits `[N, V]`
 * @param teacherLogits `[N, V]`
 * @returns `[N, 6]`, columns as in {@link distributionStatisticNames}
 */
export function distributionStatistics(
  studentLogits: tf.Tensor2D,
  teacherLogits: tf.Tensor2D,
): tf.Tensor2D {
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "N V", teacherLogits: "N V" });
  return run({ studentLogits, teacherLogits }, {})[0] as tf.Tensor2D;
}
