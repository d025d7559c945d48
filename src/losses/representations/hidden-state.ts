import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { cosineSimilarity, unitVectors } from "../cosine-similarity.js";
import { defineLoss } from "../define.js";
import { absolute, smoothAbsolute } from "../distances.js";
import { stopGradient } from "../stop-gradient.js";

export type HiddenStateMetric = "mse" | "l1" | "smooth-l1" | "cosine";

export interface HiddenStateOptions {
  /** How far two vectors are apart. Default "mse". */
  readonly metric?: HiddenStateMetric;
  /** Divides both vectors by their lengths first. Default false. */
  readonly normalize?: boolean;
  /** Divides the difference by the standard deviation of the teacher's vector. Default false. */
  readonly teacherStd?: boolean;
}

/** A teacher's vector of equal entries has a standard deviation of 0. */
const smallestDeviation = 1e-6;

/**
 * Distance between the hidden states of student and teacher at every position.
 *
 *     mse:       mean_d (s_d − t_d)²
 *     l1:        mean_d |s_d − t_d|
 *     smooth-l1: mean_d (½ x² if |x| < 1, else |x| − ½),  x = s_d − t_d
 *     cosine:    1 − cos(s, t)
 *
 * `normalize` takes s/‖s‖ and t/‖t‖ (Patient KD, with mse), `teacherStd` divides the differences by
 * the standard deviation of t over its D entries (CODI and KaVa, with l1; over which axes theirs is
 * taken was not verified). Neither changes the cosine. A student of another width needs a projection
 * in front. No gradient flows into the teacher. The gradient of |x| at 0 is 0.
 *
 * @param studentHiddenStates `[B, T, D]`
 * @param teacherHiddenStates `[B, T, D]`, of the same tokens
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/1908.09355 (Patient KD, mse of unit vectors);
 *   https://arxiv.org/abs/1909.10351 (TinyBERT, mse); https://arxiv.org/abs/1910.01108 (DistilBERT, cosine)
 */
export function hiddenState(
  studentHiddenStates: tf.Tensor3D,
  teacherHiddenStates: tf.Tensor3D,
  options: HiddenStateOptions = {},
): tf.Tensor2D {
  const { metric = "mse", normalize = false, teacherStd = false } = options;
  assertShape(
    { studentHiddenStates, teacherHiddenStates },
    { studentHiddenStates: "B T D", teacherHiddenStates: "B T D" },
  );
  return tf.tidy(() => {
    const target = stopGradient(teacherHiddenStates);
    if (metric === "cosine") {
      return tf.sub(1, cosineSimilarity(studentHiddenStates, target)) as tf.Tensor2D;
    }
    const student = normalize ? unitVectors(studentHiddenStates) : studentHiddenStates;
    const teacher = normalize ? unitVectors(target) : target;
    const difference = student.sub(teacher);
    const scaled = teacherStd ? difference.div(standardDeviation(teacher)) : difference;
    return distances[metric](scaled).mean(-1) as tf.Tensor2D;
  });
}

const distances = {
  mse: (x: tf.Tensor) => x.square(),
  l1: absolute,
  "smooth-l1": smoothAbsolute,
};

/** Over the last axis, `[..., 1]`. */
function standardDeviation(x: tf.Tensor): tf.Tensor {
  const centered = x.sub(x.mean(-1, true));
  return centered.square().mean(-1, true).sqrt().maximum(smallestDeviation);
}

export const hiddenStateLoss = defineLoss({
  name: "hidden-state",
  summary: "Distance between the hidden states of student and teacher at every position.",
  formula: "mean_d of (s−t)², |s−t| or smooth-l1(s−t); or 1 − cos(s, t)",
  reference:
    "https://arxiv.org/abs/1909.10351 (mse); https://arxiv.org/abs/1908.09355 (normalized)",
  whenToUse:
    "Beside a loss on the outputs, with a teacher that the student resembles; cosine or normalize where the sizes of the vectors differ.",
  failureSignature:
    "The term is a thousand times larger than the others and the outputs get worse: a few outlier dimensions dominate the mse. Remedy: normalize, cosine, or a smaller weight.",
  per: "token",
  needs: ["studentHiddenStates", "teacherHiddenStates"],
  config: z.strictObject({
    metric: z
      .enum(["mse", "l1", "smooth-l1", "cosine"])
      .default("mse")
      .describe("How far two vectors are apart."),
    normalize: z
      .boolean()
      .default(false)
      .describe("Divides both vectors by their lengths first; cosine does so anyway."),
    teacherStd: z
      .boolean()
      .default(false)
      .describe(
        "Divides the difference by the standard deviation of the teacher's vector; no effect on cosine.",
      ),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true },
  examples: [
    {},
    { metric: "l1", teacherStd: true },
    { metric: "smooth-l1" },
    { metric: "cosine" },
    { normalize: true },
  ],
  evaluate: ({ studentHiddenStates, teacherHiddenStates }, config) =>
    hiddenState(studentHiddenStates, teacherHiddenStates, config),
});
