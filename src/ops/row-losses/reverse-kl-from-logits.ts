import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";
import {
  assertDivergenceInputs,
  composedLogSoftmax,
  type DivergenceInputs,
  distribution,
  klOf,
  noTeacherGradient,
  type TemperatureAttributes,
  whereLikely,
} from "./divergence.js";

function compute(
  { studentLogits, teacherLogits }: DivergenceInputs,
  { temperature }: TemperatureAttributes,
): tf.Tensor {
  const student = distribution(studentLogits, temperature);
  const teacher = distribution(teacherLogits, temperature);
  return klOf(student, teacher.logProbs);
}

function reference(
  { studentLogits, teacherLogits }: DivergenceInputs,
  { temperature }: TemperatureAttributes,
): tf.Tensor {
  const logStudent = composedLogSoftmax(studentLogits, temperature);
  const logTeacher = composedLogSoftmax(teacherLogits, temperature);
  return klOf({ probabilities: logStudent.exp(), logProbs: logStudent }, logTeacher);
}

/**
 * dy `[...]` to the gradient of the student's logits, `dy · S (log S − log T − KL) / temperature`. Where
 * KL is infinite there is none, and what comes out is not finite; where dy is 0 it is 0.
 */
const gradient = defineKernel<DivergenceInputs & { dy: tf.Tensor }, TemperatureAttributes>(
  "PupilReverseKlGrad",
  ({ dy, studentLogits, teacherLogits }, { temperature }) => {
    const { probabilities: student, logProbs } = distribution(studentLogits, temperature);
    const difference = logProbs.sub(distribution(teacherLogits, temperature).logProbs);
    const kl = student.mul(whereLikely(student, difference)).sum(-1, true);
    const weighted = student.mul(dy.div(temperature).expandDims(-1));
    return [weighted.mul(whereLikely(weighted.abs(), difference.sub(kl)))];
  },
);

const op = defineOp<DivergenceInputs, TemperatureAttributes>({
  name: "PupilReverseKl",
  reference,
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs }, { temperature }) => ({
    studentLogits: () => gradient({ dy, ...inputs }, { temperature })[0] as tf.Tensor,
    teacherLogits: noTeacherGradient(inputs.teacherLogits),
  }),
});

/** For the op that computes its logits itself. */
export const reverseKlRows = { op, gradient };

/**
 * Reverse KL divergence, KL(student ‖ teacher) = Σ S (log S − log T), per token: logits `[B, T, V]`
 * to `[B, T]`, in nats. S and T are the softmax of the logits divided by the temperature; the value
 * is not multiplied by temperature². No gradient flows into the teacher. Tokens that the student rules
 * out (a logit of −Infinity) add 0; the value is +Infinity where the teacher rules out one that the
 * student does not, which has no gradient.
 *
 * Source: Gu et al. 2024 (MiniLLM), arXiv 2306.08543; Agarwal et al. 2024 (GKD), arXiv 2306.13649.
 */
export function reverseKlFromLogits(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: { readonly temperature: number },
): tf.Tensor2D {
  const { temperature } = options;
  assertDivergenceInputs(studentLogits, teacherLogits, temperature);
  return op({ studentLogits, teacherLogits }, { temperature }) as tf.Tensor2D;
}

reverseKlFromLogits.definition = op.definition;
