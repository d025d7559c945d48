import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { defineKernel, defineOp } from "../define.js";
import {
  assertDivergenceInputs,
  composedLogSoftmax,
  type DivergenceInputs,
  noTeacherGradient,
  softmax,
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

const smallestBeta = 1e-6;
/** Stands for a probability that float32 rounds to 0: a normal number whose inverse is finite. */
const smallestProbability = 1e-37;

/**
 * `log(M/p)` for the mixture `M = w · other + (1 − w) · p`, as `log1p(w · (other − p) / p)`: exactly
 * 0 where the two agree, of full relative precision near it and for a small w, finite where p is 0.
 */
function logMixtureOver(p: tf.Tensor, other: tf.Tensor, w: number): tf.Tensor {
  return other.sub(p).div(p.clipByValue(smallestProbability, 1)).mul(w).log1p();
}

function normalizer({ beta, normalized }: JsdAttributes): number {
  return normalized ? 1 / (beta * (1 - beta)) : 1;
}

function compute(
  { studentLogits, teacherLogits }: DivergenceInputs,
  attributes: JsdAttributes,
): tf.Tensor {
  const { beta, temperature } = attributes;
  const student = softmax(studentLogits, temperature);
  const teacher = softmax(teacherLogits, temperature);
  const studentTerm = student.mul(logMixtureOver(student, teacher, beta)).mul(1 - beta);
  const teacherTerm = teacher.mul(logMixtureOver(teacher, student, 1 - beta)).mul(beta);
  const negative = teacherTerm.add(studentTerm).sum(-1).mul(normalizer(attributes));
  return tf.sub(0, negative);
}

/** The same value from the definition, each KL by itself. */
function reference(
  { studentLogits, teacherLogits }: DivergenceInputs,
  attributes: JsdAttributes,
): tf.Tensor {
  const { beta, temperature } = attributes;
  // Finite, so that a token that both rule out has a logarithm in the mixture too.
  const logStudent = composedLogSoftmax(studentLogits, temperature).maximum(-1e30);
  const logTeacher = composedLogSoftmax(teacherLogits, temperature).maximum(-1e30);
  const weighted = [logTeacher.add(Math.log(beta)), logStudent.add(Math.log1p(-beta))];
  const logMixture = tf.logSumExp(tf.stack(weighted), 0);
  const [student, teacher] = [logStudent.exp(), logTeacher.exp()];
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
  ({ dy, studentLogits, teacherLogits }, attributes) => {
    const { beta, temperature } = attributes;
    const student = softmax(studentLogits, temperature);
    const overStudent = logMixtureOver(student, softmax(teacherLogits, temperature), beta);
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

/** For the op that computes its logits itself. */
export const generalizedJsdRows = { op, gradient };

/**
 * Generalized Jensen-Shannon divergence, β KL(T ‖ M) + (1 − β) KL(S ‖ M) with M = βT + (1 − β)S, per
 * token: logits `[B, T, V]` to `[B, T]`, in nats. β weights the **teacher**. At β = 0 and 1 it is
 * forward KL and reverse KL (the value as defined would be 0 there). `normalized` divides by
 * β(1 − β), which makes it continuous towards both. No gradient flows into the teacher. Finite whatever
 * either rules out with a logit of −Infinity.
 *
 * Source: Agarwal et al. 2024 (GKD), arXiv 2306.13649, eq. 1; the limits are those of TRL.
 */
export function generalizedJsdFromLogits(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: { readonly temperature: number; readonly beta: number; readonly normalized: boolean },
): tf.Tensor2D {
  const { temperature, beta, normalized } = options;
  if (beta === 0) return forwardKlFromLogits(studentLogits, teacherLogits, { temperature });
  if (beta === 1) return reverseKlFromLogits(studentLogits, teacherLogits, { temperature });
  // Nearer to an end, float32 does not tell beta from it.
  if (!(beta >= smallestBeta && beta <= 1 - smallestBeta)) {
    throw new PupilError(`must be 0, 1 or at least ${smallestBeta} away from both, got ${beta}.`, {
      field: "beta",
      value: beta,
    });
  }
  assertDivergenceInputs(studentLogits, teacherLogits, temperature);
  return op({ studentLogits, teacherLogits }, { temperature, beta, normalized }) as tf.Tensor2D;
}

generalizedJsdFromLogits.definition = op.definition;
