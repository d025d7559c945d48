import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";
import {
  assertDivergenceInputs,
  composedLogSoftmax,
  type DivergenceInputs,
  distribution,
  klOf,
  noTeacherGradient,
  softmax,
  type TemperatureAttributes,
} from "./divergence.js";

function compute(
  { studentLogits, teacherLogits }: DivergenceInputs,
  { temperature }: TemperatureAttributes,
): tf.Tensor {
  const student = distribution(studentLogits, temperature);
  const teacher = distribution(teacherLogits, temperature);
  return klOf(teacher, student.logProbs);
}

function reference(
  { studentLogits, teacherLogits }: DivergenceInputs,
  { temperature }: TemperatureAttributes,
): tf.Tensor {
  const logStudent = composedLogSoftmax(studentLogits, temperature);
  const logTeacher = composedLogSoftmax(teacherLogits, temperature);
  return klOf({ probabilities: logTeacher.exp(), logProbs: logTeacher }, logStudent);
}

/** dy `[...]` to the gradient of the student's logits, `dy · (S − T) / temperature`. */
const gradient = defineKernel<DivergenceInputs & { dy: tf.Tensor }, TemperatureAttributes>(
  "PupilForwardKlGrad",
  ({ dy, studentLogits, teacherLogits }, { temperature }) => {
    const student = softmax(studentLogits, temperature);
    const teacher = softmax(teacherLogits, temperature);
    return [student.sub(teacher).mul(dy.div(temperature).expandDims(-1))];
  },
);

const op = defineOp<DivergenceInputs, TemperatureAttributes>({
  name: "PupilForwardKl",
  reference,
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs }, { temperature }) => ({
    studentLogits: () => gradient({ dy, ...inputs }, { temperature })[0] as tf.Tensor,
    teacherLogits: noTeacherGradient(inputs.teacherLogits),
  }),
});

/** For the op that computes its logits itself. */
export const forwardKlRows = { op, gradient };

/**
 * Forward KL divergence, KL(teacher ‖ student) = Σ T (log T − log S), per token: logits `[B, T, V]`
 * to `[B, T]`, in nats. S and T are the softmax of the logits divided by the temperature; the value
 * is not multiplied by temperature². No gradient flows into the teacher. Tokens that the teacher rules
 * out (a logit of −Infinity) add 0; the value is +Infinity where the student rules out one that the
 * teacher does not.
 *
 * Source: Hinton, Vinyals & Dean 2015, arXiv 1503.02531.
 */
export function forwardKlFromLogits(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: { readonly temperature: number },
): tf.Tensor2D {
  const { temperature } = options;
  assertDivergenceInputs(studentLogits, teacherLogits, temperature);
  return op({ studentLogits, teacherLogits }, { temperature }) as tf.Tensor2D;
}

forwardKlFromLogits.definition = op.definition;
