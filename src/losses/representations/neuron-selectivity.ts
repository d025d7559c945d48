import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { unitVectors } from "../cosine-similarity.js";
import { defineLoss } from "../define.js";
import { keepMasked } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";

export interface NeuronSelectivityOptions {
  /** Power of the kernel k(u, v) = (u · v)^degree. Default 2. */
  readonly degree?: number;
  /** Divides the pattern of every channel by its length. Default false. */
  readonly normalize?: boolean;
}

/**
 * Neuron selectivity transfer: the channels of the student are to be active at the same positions as
 * those of the teacher, whichever channel it is. Squared maximum mean discrepancy between the two
 * sets of channel patterns.
 *
 *     mean_{ij} k(S_i, S_j) − 2 mean_{ij} k(S_i, T_j) + mean_{ij} k(T_i, T_j),   k(u, v) = (u · v)^p
 *
 * S_i is the pattern of channel i over the positions that count. The paper divides every pattern by
 * its length (`normalize`); VidLanKD's released code does not, so that there the value grows with
 * the length of the text to the power p. That code leaves out the last term, which is constant: the
 * gradient is the same, the value is not 0 at the optimum. No gradient flows into the teacher.
 *
 * @param studentHiddenStates `[B, T, D]`
 * @param teacherHiddenStates `[B, T, D]`
 * @param positionMask `[B, T]`, 1 for the positions that count
 * @returns `[B]`; 0 for a row without positions
 * @see https://arxiv.org/abs/1707.01219; https://arxiv.org/abs/2107.02681, vteacher/loss.py
 */
export function neuronSelectivity(
  studentHiddenStates: tf.Tensor3D,
  teacherHiddenStates: tf.Tensor3D,
  positionMask: tf.Tensor2D,
  options: NeuronSelectivityOptions = {},
): tf.Tensor1D {
  const { degree = 2, normalize = false } = options;
  assertShape(
    { studentHiddenStates, teacherHiddenStates, positionMask },
    { studentHiddenStates: "B T D", teacherHiddenStates: "B T D", positionMask: "B T" },
  );
  return tf.tidy(() => {
    const patterns = (states: tf.Tensor3D) => {
      const counted = keepMasked(states, positionMask.expandDims(2));
      return normalize ? unitVectors(counted, 1) : counted;
    };
    const student = patterns(studentHiddenStates);
    const teacher = patterns(stopGradient(teacherHiddenStates));
    const meanKernel = (a: tf.Tensor3D, b: tf.Tensor3D) => {
      const products = tf.matMul(a, b, true, false);
      let power: tf.Tensor = products;
      for (let p = 1; p < degree; p++) power = power.mul(products);
      return power.mean([1, 2]);
    };
    return meanKernel(student, student)
      .sub(meanKernel(student, teacher).mul(2))
      .add(meanKernel(teacher, teacher)) as tf.Tensor1D;
  });
}

export const neuronSelectivityLoss = defineLoss({
  name: "neuron-selectivity",
  summary: "The student's channels are to be active where the teacher's are, in whichever order.",
  formula: "mean k(S,S) − 2 mean k(S,T) + mean k(T,T) over channel pairs, k(u,v) = (u·v)^degree",
  reference: "https://arxiv.org/abs/1707.01219; https://arxiv.org/abs/2107.02681",
  whenToUse:
    "A teacher with another modality or architecture, whose hidden dimensions do not correspond to the student's.",
  failureSignature:
    "The term explodes on long rows: without normalize it grows with the length to the power of degree. Remedy: normalize, or a layer norm in front.",
  per: "row",
  needs: ["studentHiddenStates", "teacherHiddenStates", "positionMask"],
  config: z.strictObject({
    degree: z.int().min(1).max(4).default(2).describe("Power of the kernel (u · v)^degree."),
    normalize: z
      .boolean()
      .default(false)
      .describe("Divides the pattern of every channel over the positions by its length."),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true },
  examples: [{ normalize: true }, { degree: 1 }, {}],
  evaluate: ({ studentHiddenStates, teacherHiddenStates, positionMask }, config) =>
    neuronSelectivity(studentHiddenStates, teacherHiddenStates, positionMask, config),
});
