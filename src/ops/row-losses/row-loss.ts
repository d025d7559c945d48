import type * as tf from "@tensorflow/tfjs-core";
import { crossEntropyRows } from "./cross-entropy-from-logits.js";
import { forwardKlRows } from "./forward-kl-from-logits.js";
import { generalizedJsdRows } from "./generalized-jsd-from-logits.js";
import { reverseKlRows } from "./reverse-kl-from-logits.js";

/**
 * A loss of a next-token distribution as data, for ops that compute the logits themselves. The same
 * values as the `…FromLogits` op of that name, times `scale` (default 1).
 */
export type RowLoss = { readonly scale?: number } & (
  | { readonly kind: "crossEntropy"; readonly labelSmoothing?: number }
  | { readonly kind: "forwardKl" | "reverseKl"; readonly temperature?: number }
  | {
      readonly kind: "generalizedJsd";
      readonly temperature?: number;
      readonly beta: number;
      readonly normalized?: boolean;
    }
);

/** A row loss with every option filled in. */
export interface SettledRowLoss {
  readonly kind: RowLoss["kind"];
  readonly scale: number;
  readonly labelSmoothing: number;
  readonly temperature: number;
  readonly beta: number;
  readonly normalized: boolean;
}

/** What the rows `[R, V]` or `[R]` of a row loss are computed from. */
export interface LossRows {
  readonly studentLogits: tf.Tensor;
  readonly teacherLogits?: tf.Tensor;
  readonly labels?: tf.Tensor;
}

interface RowLossKind {
  readonly reads: "labels" | "teacher";
  /** `[R]`, before the scale. */
  value(rows: LossRows, loss: SettledRowLoss): tf.Tensor;
  /** The same, differentiable by tfjs alone. */
  reference(rows: LossRows, loss: SettledRowLoss): tf.Tensor;
  /** dy `[R]` to the gradient of the student's logits. */
  gradient(dy: tf.Tensor, rows: LossRows, loss: SettledRowLoss): tf.Tensor;
}

type Divergence = typeof forwardKlRows | typeof reverseKlRows | typeof generalizedJsdRows;

function divergenceKind({ op, gradient }: Divergence): RowLossKind {
  // The inputs and attributes of one are those of all; only the JSD reads all attributes.
  const all = { op, gradient } as typeof generalizedJsdRows;
  const pair = ({ studentLogits, teacherLogits }: LossRows) => {
    if (teacherLogits === undefined) throw new Error("A divergence needs a teacher.");
    return { studentLogits, teacherLogits };
  };
  return {
    reads: "teacher",
    value: (rows, loss) => all.op(pair(rows), loss),
    reference: (rows, loss) => all.op.definition.reference(pair(rows), loss),
    gradient: (dy, rows, loss) => all.gradient({ dy, ...pair(rows) }, loss)[0] as tf.Tensor,
  };
}

function crossEntropyKind(): RowLossKind {
  const { op, gradient } = crossEntropyRows;
  const given = ({ studentLogits, labels }: LossRows) => {
    if (labels === undefined) throw new Error("Cross-entropy needs labels.");
    return { logits: studentLogits, labels };
  };
  return {
    reads: "labels",
    value: (rows, loss) => op(given(rows), loss),
    reference: (rows, loss) => op.definition.reference(given(rows), loss),
    gradient: (dy, rows, loss) => gradient({ dy, ...given(rows) }, loss)[0] as tf.Tensor,
  };
}

export const rowLossKinds: Readonly<Record<RowLoss["kind"], RowLossKind>> = {
  crossEntropy: crossEntropyKind(),
  forwardKl: divergenceKind(forwardKlRows),
  reverseKl: divergenceKind(reverseKlRows),
  generalizedJsd: divergenceKind(generalizedJsdRows),
};

/** Fills in the defaults; the ends of the generalized JSD are the two KLs, as in its own op. */
export function settleRowLoss(loss: RowLoss): SettledRowLoss {
  const defaults = { scale: 1, labelSmoothing: 0, temperature: 1, beta: 0.5, normalized: false };
  const settled = { ...defaults, ...loss };
  if (settled.kind !== "generalizedJsd") return settled;
  if (settled.beta === 0) return { ...settled, kind: "forwardKl" };
  if (settled.beta === 1) return { ...settled, kind: "reverseKl" };
  return settled;
}
