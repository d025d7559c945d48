import type * as tf from "@tensorflow/tfjs";
import { defineKernel, defineOp } from "./define.js";
import {
  assertDivergenceInputs,
  type DivergenceInputs,
  logProbabilities,
  noTeacherGradient,
  type TemperatureAttributes,
} from "./divergence.js";

function compute(inputs: DivergenceInputs, attributes: TemperatureAttributes): tf.Tensor {
  const { logStudent, logTeacher } = logProbabilities(inputs, attributes);
  return logStudent.exp().mul(logStudent.sub(logTeacher)).sum(-1);
}

/** dy `[...]` to the gradient of the student's logits, `dy · S (log S − log T − KL) / temperature`. */
const gradient = defineKernel<DivergenceInputs & { dy: tf.Tensor }, TemperatureAttributes>(
  "PupilReverseKlGrad",
  ({ dy, ...inputs }, { temperature }) => {
    const { logStudent, logTeacher } = logProbabilities(inputs, { temperature });
    const student = logStudent.exp();
    const difference = logStudent.sub(logTeacher);
    const kl = student.mul(difference).sum(-1, true);
    return [student.mul(difference.sub(kl)).mul(dy.div(temperature).expandDims(-1))];
  },
);

const op = defineOp<DivergenceInputs, TemperatureAttributes>({
  name: "PupilReverseKl",
  reference: compute,
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs }, { temperature }) => ({
    studentLogits: () => gradient({ dy, ...inputs }, { temperature })[0] as tf.Tensor,
    teacherLogits: noTeacherGradient(inputs.teacherLogits),
  }),
});

/**
 * Reverse KL divergence, KL(student ‖ teacher) = Σ S (log S − log T), per token: logits `[B, T, V]`
 * to `[B, T]`, in nats. S and T are the softmax of the logits divided by the temperature; the value
 * is not multiplied by temperature². No gradient flows into the teacher.
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
