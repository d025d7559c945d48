import * as tf from "@tensorflow/tfjs-core";
import { assertShape, disposeAll, isRecording } from "../../tensors/index.js";
import { defineKernel, defineOp } from "../define.js";
import { linear } from "../layers/linear.js";
import {
  type LossRows,
  type RowLoss,
  rowLossKinds,
  settleRowLoss,
  type SettledRowLoss,
} from "./row-loss.js";

/** What logits are made of: hidden states after the final norm `[B, T, D]`, head `[V, D]`. */
export interface HiddenStates {
  readonly hidden: tf.Tensor3D;
  readonly head: tf.Tensor2D;
}

export interface HiddenLossTerm {
  readonly loss: RowLoss;
  /** `[B, T]`; a row of weight 0 contributes exactly nothing. */
  readonly rowWeights: tf.Tensor2D;
  /** Factor of this term in the total, without a gradient. A tensor where it has to be data (`repeatsCalls`). Default: 1. */
  readonly factor?: number | tf.Scalar;
}

export interface LossesFromHiddenInputs {
  readonly student: HiddenStates;
  /**
   * For terms that read a teacher: its hidden states, or logits `[B, T, V]` where those exist anyway.
   * No gradient flows into it.
   */
  readonly teacher?: HiddenStates | { readonly logits: tf.Tensor3D };
  /** `[B, T]` int32, for terms that read labels. */
  readonly labels?: tf.Tensor2D;
}

/** Tensor inputs of the op: those of the terms are called `weights0`, `weights1`, … */
export type HiddenLossTensors = {
  studentHidden: tf.Tensor;
  studentHead: tf.Tensor2D;
  teacherHidden?: tf.Tensor;
  teacherHead?: tf.Tensor2D;
  /** Instead of hidden states and head. */
  teacherLogits?: tf.Tensor;
  labels?: tf.Tensor;
  /** `[K]`, if any of the terms has its factor as a tensor: then all have it here. */
  factors?: tf.Tensor1D;
} & { [weights: `weights${number}`]: tf.Tensor };

export interface HiddenLossAttributes {
  /** The factors are 1 where `factors` has them. */
  readonly terms: readonly (SettledRowLoss & { readonly factor: number })[];
  /** Computes the gradient of the total in the forward pass: `none`, of the hidden states, or both. */
  readonly gradient: "none" | "hidden" | "both";
  /** Bound of the logits that exist at one time. */
  readonly chunkBytes: number;
}

/** Where more would not make the products faster any more, and less would. */
const defaultChunkBytes = 32 * 2 ** 20;

/** How many rows of logits are computed at one time, of `rows` in all. */
export function rowsPerChunk(
  rows: number,
  vocabularySize: number,
  matrices: number,
  chunkBytes: number,
): number {
  const most = Math.max(1, Math.floor(chunkBytes / (4 * vocabularySize * matrices)));
  const chunks = Math.max(1, Math.ceil(rows / most));
  return Math.max(1, Math.ceil(rows / chunks));
}

type Rows = {
  hidden: tf.Tensor2D;
  teacher?: tf.Tensor2D;
  labels?: tf.Tensor;
  weights: tf.Tensor[];
};

/** Everything as rows `[N, …]`, those without any weight set to 0 so that nothing in them matters. */
function asRows(inputs: HiddenLossTensors, terms: HiddenLossAttributes["terms"]): Rows {
  const { studentHidden, teacherHidden, teacherLogits, labels } = inputs;
  const teacher = teacherHidden ?? teacherLogits;
  const weights = terms.map((_, i) => (inputs[`weights${i}`] as tf.Tensor).reshape([-1]));
  const used = tf.addN(weights.map((w) => w.abs())).notEqual(0);
  const rows = (x: tf.Tensor): tf.Tensor2D => {
    const matrix = x.reshape([-1, x.shape[x.rank - 1] as number]) as tf.Tensor2D;
    return tf.where(used.expandDims(1), matrix, tf.zerosLike(matrix));
  };
  return {
    hidden: rows(studentHidden),
    ...(teacher && { teacher: rows(teacher) }),
    ...(labels && { labels: labels.reshape([-1]) }),
    weights,
  };
}

function partOf(rows: Rows, start: number, size: number): Rows {
  const part = <T extends tf.Tensor>(x: T) => tf.slice(x, start, size);
  const { hidden, teacher, labels, weights } = rows;
  return {
    hidden: part(hidden),
    ...(teacher && { teacher: part(teacher) }),
    ...(labels && { labels: part(labels) }),
    weights: weights.map(part),
  };
}

/** Σ weight·value of a term over its rows; a row of weight 0 is left out, whatever its value. */
function weightedSum(values: tf.Tensor, weights: tf.Tensor, scale: number): tf.Tensor {
  const weighted = values.mul(weights).mul(scale);
  return tf.where(weights.notEqual(0), weighted, tf.zerosLike(weighted)).sum();
}

/** Sums of the terms `[K]`, and if wanted the gradients of the total for some rows and for the head. */
function chunk(
  rows: Rows,
  { studentHead, teacherHead, factors }: HiddenLossTensors,
  { terms, gradient }: HiddenLossAttributes,
): tf.Tensor[] {
  const studentLogits = tf.matMul(rows.hidden, studentHead, false, true);
  const given: LossRows = {
    studentLogits,
    ...(rows.labels && { labels: rows.labels }),
    ...(rows.teacher && {
      teacherLogits: teacherHead ? tf.matMul(rows.teacher, teacherHead, false, true) : rows.teacher,
    }),
  };
  const sums = tf.stack(
    terms.map((term, i) => {
      const values = rowLossKinds[term.kind].value(given, term);
      return weightedSum(values, rows.weights[i] as tf.Tensor, term.scale);
    }),
  );
  if (gradient === "none") return [sums];
  const parts = terms.map((term, i) => {
    const dy = (rows.weights[i] as tf.Tensor).mul(term.factor * term.scale);
    const scaled = factors ? dy.mul(factors.slice(i, 1)) : dy;
    return rowLossKinds[term.kind].gradient(scaled, given, term);
  });
  const ofLogits = (parts.length === 1 ? parts[0] : tf.addN(parts)) as tf.Tensor2D;
  const ofHidden = tf.matMul(ofLogits, studentHead);
  if (gradient === "hidden") return [sums, ofHidden];
  return [sums, ofHidden, tf.matMul(ofLogits, rows.hidden, true, false)];
}

/** `[total, sums, gradient of the student's hidden states, of its head]`, as far as they are wanted. */
function compute(inputs: HiddenLossTensors, attributes: HiddenLossAttributes): tf.Tensor[] {
  const { terms, gradient, chunkBytes } = attributes;
  const { studentHidden, studentHead, teacherHidden } = inputs;
  const all = asRows(inputs, terms);
  const numRows = all.hidden.shape[0];
  const matrices = 1 + (teacherHidden ? 1 : 0) + (gradient === "none" ? 0 : terms.length);
  const size = rowsPerChunk(numRows, studentHead.shape[0], matrices, chunkBytes);
  let sums: tf.Tensor | undefined;
  let ofHead: tf.Tensor | undefined;
  const ofHidden: tf.Tensor[] = [];
  for (let start = 0; start < numRows; start += size) {
    const part = () => partOf(all, start, Math.min(size, numRows - start));
    const [added, hidden, head] = tf.tidy(() => chunk(part(), inputs, attributes));
    sums = addInto(sums, added as tf.Tensor);
    if (hidden) ofHidden.push(hidden);
    if (head) ofHead = addInto(ofHead, head);
  }
  sums ??= tf.zeros([terms.length]);
  const factors = inputs.factors ?? tf.tensor1d(terms.map(({ factor }) => factor));
  const total = sums.mul(factors).sum();
  if (gradient === "none") return [total, sums];
  const hidden = ofHidden.length > 0 ? tf.concat(ofHidden) : tf.zeros([0, 1]);
  const outputs = [total, sums, hidden.reshape(studentHidden.shape)];
  return gradient === "hidden" ? outputs : [...outputs, ofHead ?? tf.zerosLike(studentHead)];
}

function addInto(total: tf.Tensor | undefined, added: tf.Tensor): tf.Tensor {
  if (total === undefined) return added;
  const sum = total.add(added);
  disposeAll([total, added]);
  return sum;
}

function reference(inputs: HiddenLossTensors, { terms }: HiddenLossAttributes): tf.Tensor {
  const { studentHidden, studentHead, teacherHidden, teacherHead, labels, factors } = inputs;
  const teacherLogits =
    teacherHidden && teacherHead ? linear(teacherHidden, teacherHead) : inputs.teacherLogits;
  const given: LossRows = {
    studentLogits: linear.definition.reference(
      { x: studentHidden, weight: studentHead },
      { weightLayout: "out-in" },
    ),
    ...(labels && { labels }),
    ...(teacherLogits && { teacherLogits }),
  };
  const sums = terms.map((term, i) => {
    const values = rowLossKinds[term.kind].reference(given, term);
    const sum = weightedSum(values, inputs[`weights${i}`] as tf.Tensor, term.scale);
    return sum.mul(factors ? factors.slice(i, 1).asScalar() : term.factor);
  });
  return tf.addN(sums);
}

/** A gradient that was computed for dy = 1, times dy. */
const timesScalar = defineKernel<{ x: tf.Tensor; dy: tf.Tensor }, object>(
  "PupilTimesScalar",
  ({ x, dy }) => [x.mul(dy)],
);

const op = defineOp<HiddenLossTensors, HiddenLossAttributes>({
  name: "PupilLossesFromHidden",
  reference,
  forward: compute,
  gradients: (dy, { inputs, extras }) => {
    const computed = (x: tf.Tensor | undefined, name: string) => () => {
      if (x === undefined)
        throw new Error(`lossesFromHidden was not told to differentiate ${name}.`);
      return timesScalar({ x, dy }, {})[0] as tf.Tensor;
    };
    const none = Object.entries(inputs).map(([name, x]) => [name, () => tf.zeros(x.shape)]);
    return {
      ...(Object.fromEntries(none) as { [K in keyof HiddenLossTensors]: () => tf.Tensor }),
      studentHidden: computed(extras[1], "the hidden states"),
      studentHead: computed(extras[2], "the head"),
    };
  },
});

/**
 * Losses of next-token distributions straight from hidden states, without logits `[B, T, V]`:
 * `total = Σ_k factor_k · Σ_rows weight · value_k`, where the logits are `hidden · headᵀ`.
 *
 * The logits exist for a chunk of rows at a time, at most `chunkBytes` (default 32 MiB) of them with
 * the teacher's and the gradient's. Under a gradient tape the gradient is computed in the same pass
 * and only scaled in the backward pass, so no logit is computed twice; there is no second derivative.
 * A head that is a variable which is not trainable gets no gradient.
 *
 * @returns the total, and the sums of the terms before their factors, `[K]`, for which there is no
 *   gradient
 */
export function lossesFromHidden(
  { student, teacher, labels }: LossesFromHiddenInputs,
  terms: readonly HiddenLossTerm[],
  options: { readonly chunkBytes?: number } = {},
): { total: tf.Scalar; sums: tf.Tensor1D } {
  if (terms.length === 0) throw new Error("lossesFromHidden needs at least one term.");
  const isData = terms.some(({ factor }) => factor instanceof tf.Tensor);
  const settled = terms.map(({ loss, factor = 1 }) => {
    return { ...settleRowLoss(loss), factor: typeof factor === "number" && !isData ? factor : 1 };
  });
  const reads = new Set(settled.map(({ kind }) => rowLossKinds[kind].reads));
  const named = Object.fromEntries(
    terms.map(({ rowWeights }, i) => [`weights${i}`, rowWeights] as const),
  );
  const inputs: HiddenLossTensors = {
    studentHidden: student.hidden,
    studentHead: student.head,
    ...(reads.has("teacher") && teacher && teacherTensors(teacher)),
    ...(reads.has("labels") && labels && { labels }),
    ...(isData && { factors: stackedFactors(terms) }),
    ...named,
  };
  assertShape({ ...inputs }, expectedShapes(inputs, reads, terms.length));
  const isFrozen = student.head instanceof tf.Variable && !student.head.trainable;
  const recorded = isFrozen ? "hidden" : "both";
  const [total, sums, ...gradients] = op.withExtras(inputs, {
    terms: settled,
    gradient: isRecording() ? recorded : "none",
    chunkBytes: options.chunkBytes ?? defaultChunkBytes,
  });
  disposeAll([...gradients, inputs.factors]);
  return { total: total as tf.Scalar, sums: sums as tf.Tensor1D };
}

function stackedFactors(terms: readonly HiddenLossTerm[]): tf.Tensor1D {
  return tf.tidy(() => {
    const factors = terms.map(({ factor = 1 }) =>
      typeof factor === "number" ? tf.scalar(factor) : factor,
    );
    return tf.stack(factors) as tf.Tensor1D;
  });
}

function teacherTensors(teacher: NonNullable<LossesFromHiddenInputs["teacher"]>) {
  return "logits" in teacher
    ? { teacherLogits: teacher.logits }
    : { teacherHidden: teacher.hidden, teacherHead: teacher.head };
}

function expectedShapes(
  { teacherLogits, factors }: HiddenLossTensors,
  reads: ReadonlySet<string>,
  numTerms: number,
): Record<string, string> {
  const weights = Array.from({ length: numTerms }, (_, i) => [`weights${i}`, "B T"]);
  const teacher: Record<string, string> = teacherLogits
    ? { teacherLogits: "B T V" }
    : { teacherHidden: "B T E", teacherHead: "V E" };
  return {
    studentHidden: "B T D",
    studentHead: "V D",
    ...(reads.has("teacher") && teacher),
    ...(reads.has("labels") && { labels: "B T" }),
    ...(factors && { factors: `${numTerms}` }),
    ...(Object.fromEntries(weights) as Record<string, string>),
  };
}

lossesFromHidden.definition = op.definition;
