import type * as tf from "@tensorflow/tfjs-core";
import { assertShape } from "../tensors/index.js";
import type { LossInputs } from "./inputs.js";
import { keepMasked, maskedScore } from "./masked.js";
import { stopGradient } from "./stop-gradient.js";

/** Candidates scored by student and teacher. */
export type ScoredLists = Pick<LossInputs, "studentScores" | "teacherScores" | "listMask">;

export const scoredListInputs = ["studentScores", "teacherScores", "listMask"] as const;

/** The lists with 0 in place of masked scores, and without a way for gradients into the teacher. */
export function checkedLists(lists: ScoredLists): ScoredLists {
  const { studentScores, teacherScores, listMask } = lists;
  assertShape(
    { studentScores, teacherScores, listMask },
    { studentScores: "B N", teacherScores: "B N", listMask: "B N" },
  );
  const mask = stopGradient(listMask);
  return {
    studentScores: keepMasked(studentScores, mask),
    teacherScores: stopGradient(keepMasked(teacherScores, mask)),
    listMask: mask,
  };
}

/** Scores as logits of a one-token text, `[B, 1, N]`, so that a masked candidate has probability 0. */
export function scoresAsLogits(scores: tf.Tensor2D, listMask: tf.Tensor2D): tf.Tensor3D {
  return keepMasked(scores, listMask, maskedScore).expandDims<tf.Tensor3D>(1);
}

/** x_i − x_j, `[B, N]` to `[B, N, N]`. */
export function differences(x: tf.Tensor2D): tf.Tensor3D {
  return x.expandDims(2).sub(x.expandDims(1)) as tf.Tensor3D;
}

/** 1 where i and j are both real candidates, `[B, N, N]`. */
export function realPairs(listMask: tf.Tensor2D): tf.Tensor3D {
  const real = listMask.notEqual(0).toFloat();
  return real.expandDims(2).mul(real.expandDims(1)) as tf.Tensor3D;
}

/** 1 where the teacher puts the real candidate i above the real candidate j, `[B, N, N]`. */
export function teacherOrder({ teacherScores, listMask }: ScoredLists): tf.Tensor3D {
  return differences(teacherScores).greater(0).toFloat().mul(realPairs(listMask)) as tf.Tensor3D;
}

/** Mean over the pairs that are marked 1, 0 for a list without any: `[B, N, N]` to `[B]`. */
export function meanOverPairs(values: tf.Tensor3D, pairs: tf.Tensor3D): tf.Tensor1D {
  const count = pairs.sum([1, 2]).maximum(1);
  return keepMasked(values, pairs).sum([1, 2]).div(count) as tf.Tensor1D;
}
