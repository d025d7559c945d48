import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { smoothAbsolute } from "../distances.js";
import type { LossInputs } from "../inputs.js";
import { keepMasked, meanOfMasked } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";

/** Cached keys and values of student and teacher. */
export type KeysAndValues = Pick<
  LossInputs,
  "studentKeys" | "studentValues" | "teacherKeys" | "teacherValues"
> & {
  /** `[B, M]`, 1 for the positions that count. Default: all. */
  readonly positionMask?: tf.Tensor2D;
};

export interface KvMatchOptions {
  /** 1: smooth L1, 2: squared. Default 1. */
  readonly power?: 1 | 2;
}

/**
 * KV matching: the student's cached keys and values of its M latent positions are regressed onto M
 * entries that are kept of the teacher's cache.
 *
 *     (1/2M) Σ_{i ≤ M} (‖K̃_i − K_i‖_p^p + ‖Ṽ_i − V_i‖_p^p),   averaged over heads (and layers)
 *
 * M counts the positions that the mask leaves. The norm sums over the D entries of a vector. p = 1 is taken as smooth L1 (½ x² for |x| < 1), as
 * KaVa does; p = 2 is the square. Which of the two is the default, and whether the differences are
 * divided by a standard deviation per layer, differs between KaVa's settings and was not verified.
 * Compare keys on the same side of the rotary encoding. No gradient flows into the teacher.
 *
 * @param caches each `[B, H, M, D]`, H counting the heads of all layers
 * @returns `[B]`; 0 for a row without positions
 * @see https://arxiv.org/abs/2510.02312 (KV matching)
 */
export function kvMatch(caches: KeysAndValues, { power = 1 }: KvMatchOptions = {}): tf.Tensor1D {
  const shape = "B H M D";
  const { studentKeys, studentValues, teacherKeys, teacherValues, positionMask: mask } = caches;
  assertShape(
    { ...caches },
    {
      ...{ studentKeys: shape, studentValues: shape, teacherKeys: shape, teacherValues: shape },
      ...(mask && { positionMask: "B M" }),
    },
  );
  return tf.tidy(() => {
    const distance = (student: tf.Tensor4D, teacher: tf.Tensor4D) => {
      const all = student.sub(stopGradient(teacher));
      const difference = mask ? keepMasked(all, mask.expandDims(1).expandDims(3)) : all;
      const perEntry = power === 1 ? smoothAbsolute(difference) : difference.square();
      const perPosition = perEntry.sum(-1).mean<tf.Tensor2D>(1);
      return mask ? meanOfMasked(perPosition, mask) : perPosition.mean(1);
    };
    const keys = distance(studentKeys, teacherKeys);
    const values = distance(studentValues, teacherValues);
    return keys.add(values).div(2) as tf.Tensor1D;
  });
}

export const kvMatchLoss = defineLoss({
  name: "kv-match",
  summary: "Distance between cached keys and values of the student and those kept of the teacher.",
  formula: "(1/2M) Σ_i (‖K̃_i − K_i‖_p^p + ‖Ṽ_i − V_i‖_p^p), mean over heads; p = 1 is smooth L1",
  reference: "https://arxiv.org/abs/2510.02312",
  whenToUse:
    "Latent reasoning: continuous thoughts that are to hold what the cache of a written chain of thought holds.",
  failureSignature:
    "Keys match and values do not, or one head dominates: heads differ in scale. Remedy: power 1, or caches divided by the teacher's standard deviation.",
  per: "row",
  needs: ["studentKeys", "studentValues", "teacherKeys", "teacherValues"],
  optional: ["positionMask"],
  config: z.strictObject({
    power: z.literal([1, 2]).default(1).describe("1 for smooth L1, 2 for squared differences."),
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true },
  examples: [{}, { power: 2 }],
  evaluate: (inputs, config) => kvMatch(inputs, config),
});
