import type * as tf from "@tensorflow/tfjs-core";

/**
 * Everything a loss can ask for. B rows, T positions, V tokens of the vocabulary; log-probabilities
 * are natural logarithms over the whole vocabulary. Facts about each are in {@link lossInputs}.
 */
export interface LossInputs {
  /** `[B, T, V]`, before temperature. */
  readonly studentLogits: tf.Tensor3D;
  /** `[B, T, V]`, before temperature. */
  readonly teacherLogits: tf.Tensor3D;
  /** `[B, T]` int32, already shifted: the token that position t predicts. */
  readonly labels: tf.Tensor2D;

  /** `[B, T, K]` int32: the teacher's likeliest tokens, no id twice, or draws from it. */
  readonly teacherTokenIds: tf.Tensor3D;
  /** `[B, T, K]`, the teacher's log-probabilities of `teacherTokenIds`, not renormalized. */
  readonly teacherTopLogProbs: tf.Tensor3D;
  /** `[B, T, K]`, of `teacherTokenIds` under the distribution that they were drawn from. */
  readonly teacherSampleLogProbs: tf.Tensor3D;

  /** `[B, T]`, of the sampled token under the student as it is now. */
  readonly tokenLogProbs: tf.Tensor2D;
  /** `[B, T]`, of the same token under the policy that sampled it. */
  readonly oldTokenLogProbs: tf.Tensor2D;
  /** `[B, T]`, of the same token under the teacher. */
  readonly teacherTokenLogProbs: tf.Tensor2D;
  /** `[B, T]`, above 0 where the token was better than expected. */
  readonly advantages: tf.Tensor2D;
  /** `[B, T]`, the same for tokens of a rollout that the student did not write, 0 for those that it did. */
  readonly guidedAdvantages: tf.Tensor2D;

  /** `[B, P]`, of the tokens of the preferred answer under the student. */
  readonly positiveTokenLogProbs: tf.Tensor2D;
  /** `[B, P]`, 1 for tokens of the answer. */
  readonly positiveMask: tf.Tensor2D;
  /** `[B, Q]`, of the tokens of the rejected answer under the student. */
  readonly negativeTokenLogProbs: tf.Tensor2D;
  /** `[B, Q]`, 1 for tokens of the answer. */
  readonly negativeMask: tf.Tensor2D;
  /** `[B, P]`, of the preferred answer under the frozen reference model. */
  readonly referencePositiveTokenLogProbs: tf.Tensor2D;
  /** `[B, Q]`, of the rejected answer under the frozen reference model. */
  readonly referenceNegativeTokenLogProbs: tf.Tensor2D;
  /** `[B, D]`, a vector for each anchor, such as the hidden state of its last token. */
  readonly anchorStates: tf.Tensor2D;
  /** `[B, D]`, a vector for what should be near the anchor. */
  readonly positiveStates: tf.Tensor2D;
  /** `[B, D]`, a vector for what should be far from the anchor. */
  readonly negativeStates: tf.Tensor2D;
  /** `[B, D]`, of the anchor in a counterfactual twin of the row. */
  readonly counterfactualAnchorStates: tf.Tensor2D;
  /** `[B, N, D]`, a vector for each option that is as right or wrong in the twin. */
  readonly unchangedStates: tf.Tensor3D;
  /** `[B, N, D]`, of the same options in the twin. */
  readonly counterfactualUnchangedStates: tf.Tensor3D;

  /** `[B, N]`, one score per candidate of the list. */
  readonly studentScores: tf.Tensor2D;
  /** `[B, N]`, the teacher's scores, or graded relevance; higher is better. */
  readonly teacherScores: tf.Tensor2D;
  /** `[B, N]`, 1 for real candidates, 0 for padding. */
  readonly listMask: tf.Tensor2D;

  /** `[B, T, D]`, brought to the teacher's width where they differ. */
  readonly studentHiddenStates: tf.Tensor3D;
  /** `[B, T, D]`. */
  readonly teacherHiddenStates: tf.Tensor3D;
  /** `[B, T]`, 1 for the positions that count, in losses with one value per row. */
  readonly positionMask: tf.Tensor2D;
  /** `[B, H, T, T]`, attention probabilities; H counts the heads of all layers that are compared. */
  readonly studentAttentions: tf.Tensor4D;
  /** `[B, H, T, T]`, attention probabilities. */
  readonly teacherAttentions: tf.Tensor4D;
  /** `[B, H, T, D]`, H counts the heads of all layers that are compared, T the cached positions. */
  readonly studentKeys: tf.Tensor4D;
  /** `[B, H, T, D]`. */
  readonly studentValues: tf.Tensor4D;
  /** `[B, H, T, D]`. */
  readonly teacherKeys: tf.Tensor4D;
  /** `[B, H, T, D]`. */
  readonly teacherValues: tf.Tensor4D;
}
export type LossInput = keyof LossInputs;

/** What is true of an input in every loss that reads it. */
export interface LossInputFacts {
  /** One letter per axis; a letter has one size within a loss. */
  readonly shape: string;
  readonly dtype: "float32" | "int32";
  /** Whether the student is trained through it. All other inputs get a gradient of 0 or none. */
  readonly gradient: boolean;
  /** The teacher's input that a student's input is held against. */
  readonly counterpart?: LossInput;
  /**
   * The input that marks its real entries, for losses that read that too. Others leave the masking
   * of `[B, T, …]` to whoever averages their values.
   */
  readonly maskedBy?: LossInput;
  /**
   * Which rows have it: rows of the data, whose tokens are ground truth, or rows that the student
   * sampled itself. A term counts only rows that have all it reads. Default: every row.
   */
  readonly rows?: "data" | "rollouts";
  /** What it is of some layer of a model; which layers is said by the term (`LossTerm.layers`). */
  readonly layer?: "hiddenStates" | "attentions" | "keys" | "values";
}

const teacher = { dtype: "float32", gradient: false } as const;
const student = { dtype: "float32", gradient: true } as const;
const hiddenStates = { maskedBy: "positionMask", layer: "hiddenStates" } as const;
const keys = { maskedBy: "positionMask", layer: "keys" } as const;
const values = { maskedBy: "positionMask", layer: "values" } as const;

/** The facts by name; trainers, tests and `check-losses` treat every loss alike because of them. */
export const lossInputs = {
  studentLogits: { shape: "B T V", ...student, counterpart: "teacherLogits" },
  teacherLogits: { shape: "B T V", ...teacher },
  labels: { shape: "B T", dtype: "int32", gradient: false, rows: "data" },

  teacherTokenIds: { shape: "B T K", dtype: "int32", gradient: false },
  teacherTopLogProbs: { shape: "B T K", ...teacher },
  teacherSampleLogProbs: { shape: "B T K", ...teacher },

  tokenLogProbs: {
    shape: "B T",
    ...student,
    counterpart: "teacherTokenLogProbs",
    rows: "rollouts",
  },
  oldTokenLogProbs: { shape: "B T", ...teacher, rows: "rollouts" },
  teacherTokenLogProbs: { shape: "B T", ...teacher },
  advantages: { shape: "B T", ...teacher, rows: "rollouts" },
  guidedAdvantages: { shape: "B T", ...teacher, rows: "rollouts" },

  positiveTokenLogProbs: {
    shape: "B P",
    ...student,
    counterpart: "referencePositiveTokenLogProbs",
    maskedBy: "positiveMask",
  },
  positiveMask: { shape: "B P", ...teacher },
  negativeTokenLogProbs: {
    shape: "B Q",
    ...student,
    counterpart: "referenceNegativeTokenLogProbs",
    maskedBy: "negativeMask",
  },
  negativeMask: { shape: "B Q", ...teacher },
  referencePositiveTokenLogProbs: { shape: "B P", ...teacher, maskedBy: "positiveMask" },
  referenceNegativeTokenLogProbs: { shape: "B Q", ...teacher, maskedBy: "negativeMask" },
  anchorStates: { shape: "B D", ...student },
  positiveStates: { shape: "B D", ...student },
  negativeStates: { shape: "B D", ...student },
  counterfactualAnchorStates: { shape: "B D", ...student },
  unchangedStates: { shape: "B N D", ...student, maskedBy: "listMask" },
  counterfactualUnchangedStates: { shape: "B N D", ...student, maskedBy: "listMask" },

  studentScores: {
    shape: "B N",
    ...student,
    counterpart: "teacherScores",
    maskedBy: "listMask",
  },
  teacherScores: { shape: "B N", ...teacher, maskedBy: "listMask" },
  listMask: { shape: "B N", ...teacher },

  studentHiddenStates: {
    shape: "B T D",
    ...student,
    counterpart: "teacherHiddenStates",
    ...hiddenStates,
  },
  teacherHiddenStates: { shape: "B T D", ...teacher, ...hiddenStates },
  positionMask: { shape: "B T", ...teacher },
  studentAttentions: {
    shape: "B H T T",
    ...student,
    counterpart: "teacherAttentions",
    layer: "attentions",
  },
  teacherAttentions: { shape: "B H T T", ...teacher, layer: "attentions" },
  studentKeys: { shape: "B H T D", ...student, counterpart: "teacherKeys", ...keys },
  studentValues: { shape: "B H T D", ...student, counterpart: "teacherValues", ...values },
  teacherKeys: { shape: "B H T D", ...teacher, ...keys },
  teacherValues: { shape: "B H T D", ...teacher, ...values },
} as const satisfies Record<LossInput, LossInputFacts>;

/** The facts about one input, with the optional ones. */
export function lossInputFacts(input: LossInput): LossInputFacts {
  return lossInputs[input];
}

/** Inputs that are states of layers. */
export type LayerInput = {
  [I in LossInput]: (typeof lossInputs)[I] extends { layer: string } ? I : never;
}[LossInput];
