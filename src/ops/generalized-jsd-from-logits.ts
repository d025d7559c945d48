import type * as tf from "@tensorflow/tfjs";
import { defineKernel, defineOp } from "./define.js";
import {
  assertDivergenceInputs,
  type DivergenceInputs,
  logProbabilities,
  noTeacherGradient,
  type TemperatureAttributes,
} from "./divergence.js";
import { forwardKlFromLogits } from "./forward-kl-from-logits.js";
import { reverseKlFromLogits } from "./reverse-kl-from-logits.js";

interface JsdAttributes extends TemperatureAttributes {
  /** Weight of the teacher in the mixture, strictly between 0 and 1. */
  readonly beta: number;
  /** Divides by β(1 − β). */
  readonly normalized: boolean;
}

/**
 * `log(M/S)` and `log(M/T)` for the mixture M = βT + (1 − β)S, from d = log T − log S.
 * With d ≤ 0, log(M/S) = log1p(β expm1(d)); with d > 0 the same from the other side, so that the
 * exponent is never positive. Exactly 0 where the two agree, and precise near it.
 */
function mixtureLogRatios(
  logStudent: tf.Tensor,
  logTeacher: tf.Tensor,
  beta: number,
): { overStudent: tf.Tensor; overTeacher: tf.Tensor } {
  const difference = logTeacher.sub(logStudent);
  const ahead = difference.relu();
  const behind = difference.neg().relu();
  // The weight of the side with the smaller probability: β where the teacher's is, else 1 − β.
  const weight = difference
    .lessEqual(0)
    .toFloat()
    .mul(2 * beta - 1)
    .add(1 - beta);
  const inner = ahead.add(behind).neg().expm1().mul(weight).log1p();
  return { overStudent: inner.add(ahead), overTeacher: inner.add(behind) };
}

function normalizer({ beta, normalized }: JsdAttributes): number {
  return normalized ? 1 / (beta * (1 - beta)) : 1;
}

function compute(inputs: DivergenceInputs, attributes: JsdAttributes): tf.Tensor {
  const { beta } = attributes;
  const { logStudent, logTeacher } = logProbabilities(inputs, attributes);
  const { overStudent, overTeacher } = mixtureLogRatios(logStudent, logTeacher, beta);
  const teacherTerm = logTeacher.exp().mul(overTeacher).mul(beta);
  const studentTerm = logStudent
    .exp()
    .mul(overStudent)
    .mul(1 - beta);
  return teacherTerm.add(studentTerm).sum(-1).mul(-normalizer(attributes));
}

/** The same value from the definition, with the mixture in probability space. */
function reference(inputs: DivergenceInputs, attributes: JsdAttributes): tf.Tensor {
  const { beta } = attributes;
  const { logStudent, logTeacher } = logProbabilities(inputs, attributes);
  const [student, teacher] = [logStudent.exp(), logTeacher.exp()];
  const logMixture = teacher
    .mul(beta)
    .add(student.mul(1 - beta))
    .log();
  const teacherTerm = teacher.mul(logTeacher.sub(logMixture)).sum(-1).mul(beta);
  const studentTerm = student
    .mul(logStudent.sub(logMixture))
    .sum(-1)
    .mul(1 - beta);
  return teacherTerm.add(studentTerm).mul(normalizer(attributes));
}

/**
 * dy `[...]` to the gradient of the student's logits,
 * `dy · (1 − β) S (log(S/M) − KL(S ‖ M)) / temperature`, normalized like the value.
 */
const gradient = defineKernel<DivergenceInputs & { dy: tf.Tensor }, JsdAttributes>(
  "PupilGeneralizedJsdGrad",
  ({ dy, ...inputs }, attributes) => {
    const { beta, temperature } = attributes;
    const { logStudent, logTeacher } = logProbabilities(inputs, attributes);
    const { overStudent } = mixtureLogRatios(logStudent, logTeacher, beta);
    const student = logStudent.exp();
    const minusKl = student.mul(overStudent).sum(-1, true);
    const factor = dy.mul((normalizer(attributes) * (1 - beta)) / temperature).expandDims(-1);
    return [student.mul(minusKl.sub(overStudent)).mul(factor)];
  },
);

const op = defineOp<DivergenceInputs, JsdAttributes>({
  name: "PupilGeneralizedJsd",
  reference,
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs }, { temperature, beta, normalized }) => ({
    studentLogits: () =>
      gradient({ dy, ...inputs }, { temperature, beta, normalized })[0] as tf.Tensor,
    teacherLogits: noTeacherGradient(inputs.teacherLogits),
  }),
});

/**
 * Generalized Jensen-Shannon divergence, β KL(T ‖ M) + (1 − β) KL(S ‖ M) with M = βT + (1 − β)S, per
 * token: logits `[B, T, V]` to `[B, T]`, in nats. β weights the **teacher**. At β = 0 and 1 it is
 * forward KL and reverse KL (the value as defined would be 0 there). `normalized` divides by
 * β(1 − β), which makes it continuous towards both. No gradient flows into the teacher.
 *
 * Source: Agarwal et al. 2024 (GKD), arXiv 2306.13649, eq. 1; the limits are those of TRL.
 */
export function generalizedJsdFromLogits(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: { readonly temperature: number; readonly beta: number; readonly normalized: boolean },
): tf.Tensor2D {
  const { temperature, beta, normalized } = options;
  if (!(beta >= 0 && beta <= 1)) throw new Error(`beta must be from 0 to 1, got ${beta}.`);
  if (beta === 0) return forwardKlFromLogits(studentLogits, teacherLogits, { temperature });
  if (beta === 1) return reverseKlFromLogits(studentLogits, teacherLogits, { temperature });
  assertDivergenceInputs(studentLogits, teacherLogits, temperature);
  return op({ studentLogits, teacherLogits }, { temperature, beta, normalized }) as tf.Tensor2D;
}

generalizedJsdFromLogits.definition = op.definition;
