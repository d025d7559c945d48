import * as tf from "@tensorflow/tfjs-core";
import {
  distributionStatisticNames,
  distributionStatistics,
  distributionSums,
  type HiddenStates,
  klOf,
  linear,
  selectedLogProbs,
} from "../../ops/index.js";
import type { TeacherTensors } from "../../teachers/index.js";
import { roundsLengths } from "../../tensors/index.js";
import type { RolloutInputs } from "../step/rollout-inputs.js";

/** Logits `[B, T, V]`, or what they are made of. */
export type LogitsSource = { readonly logits: tf.Tensor3D } | HiddenStates;

/** What is known in a step about the student and its teacher, for the log. */
export interface DiagnosticInputs {
  readonly student: LogitsSource;
  readonly teacher?: LogitsSource;
  /** The teacher's likeliest tokens, where it gives those. */
  readonly sparse?: Partial<Pick<TeacherTensors, "teacherTokenIds" | "teacherTopLogProbs">>;
}

type Sums = Record<string, tf.Scalar>;

/**
 * Sums over some positions of what is logged about every step, whatever its loss:
 *
 * - with a teacher's logits: `forwardKl` KL(teacher ‖ student), `reverseKl` KL(student ‖ teacher),
 *   `studentEntropy`, `teacherEntropy`, `totalVariation`, `topOneAgreement`;
 * - with its likeliest tokens: `coarseForwardKl`, `coarseReverseKl`, `coarseTotalVariation` (all
 *   other tokens taken as one, hence lower bounds), `studentTailMass`, `teacherTailMass` (the
 *   probability of those others) and `topOneAgreement`;
 * - without a teacher: `studentEntropy`.
 *
 * In nats at temperature 1. No gradient flows.
 *
 * @param rows `[N]` int32, positions in `[B·T]`; −1 in the place of one stands for none, only where lengths are rounded up
 *   (`roundsLengths`)
 */
export function diagnosticSums(
  { student, teacher, sparse }: DiagnosticInputs,
  rows: tf.Tensor1D,
): Sums {
  if (rows.size === 0) return {};
  const whole = wholeLogits(student, teacher);
  if (whole && sparse?.teacherTokenIds === undefined) {
    return distributionSums(whole.studentLogits, whole.teacherLogits, rows);
  }
  const { places, counted } = chosenOf(rows);
  const studentLogits = logitsAt(student, places);
  const teacherLogits = teacher && logitsAt(teacher, places);
  const ofLists = sparse === undefined ? {} : sparseSums(studentLogits, sparse, places, counted);
  const sumsWith = (other: tf.Tensor2D) =>
    columnSums(counted(distributionStatistics(studentLogits, other)));
  if (teacherLogits !== undefined && teacherLogits.shape[1] === studentLogits.shape[1]) {
    return { ...ofLists, ...sumsWith(teacherLogits) };
  }
  const { studentEntropy } = sumsWith(studentLogits);
  return { ...ofLists, studentEntropy: studentEntropy as tf.Scalar };
}

/** Values `[N, …]` of positions, 0 for those that stand for none. */
type Counted = <T extends tf.Tensor>(values: T) => T;

function chosenOf(rows: tf.Tensor1D): { places: tf.Tensor1D; counted: Counted } {
  if (!roundsLengths()) return { places: rows, counted: (values) => values };
  const isCounted = rows.greaterEqual(0);
  return {
    places: tf.relu(rows),
    counted: (values) => {
      const shape = [rows.size, ...values.shape.slice(1).map(() => 1)];
      return tf.where(isCounted.reshape(shape), values, tf.zerosLike(values));
    },
  };
}

/** Logits `[B·T, V]` of both, if both are there and have one vocabulary. */
function wholeLogits(student: LogitsSource, teacher: LogitsSource | undefined) {
  if (!("logits" in student) || teacher === undefined || !("logits" in teacher)) return undefined;
  const [studentLogits, teacherLogits] = [student, teacher].map(({ logits }) =>
    logits.reshape([-1, logits.shape[2]]),
  ) as [tf.Tensor2D, tf.Tensor2D];
  const isOne = studentLogits.shape[1] === teacherLogits.shape[1];
  return isOne ? { studentLogits, teacherLogits } : undefined;
}

/** Σ and Σ² of the advantages of sampled tokens, for their spread. */
export function advantageSums({ advantages }: RolloutInputs, mask: () => tf.Tensor2D): Sums {
  if (advantages === undefined) return {};
  const counted = advantages.mul(mask());
  return { advantages: counted.sum<tf.Scalar>(), advantageSquares: counted.square().sum() };
}

function logitsAt(source: LogitsSource, rows: tf.Tensor1D): tf.Tensor2D {
  const at = (x: tf.Tensor3D) => tf.gather(x.reshape([-1, x.shape[2]]), rows);
  if ("logits" in source) return at(source.logits) as tf.Tensor2D;
  return linear(at(source.hidden), source.head) as tf.Tensor2D;
}

function columnSums(statistics: tf.Tensor2D): Sums {
  const sums = tf.unstack(statistics.sum(0)) as tf.Scalar[];
  return Object.fromEntries(distributionStatisticNames.map((name, i) => [name, sums[i]])) as Sums;
}

function sparseSums(
  studentLogits: tf.Tensor2D,
  { teacherTokenIds: ids, teacherTopLogProbs: logProbs }: NonNullable<DiagnosticInputs["sparse"]>,
  rows: tf.Tensor1D,
  counted: Counted,
): Sums {
  if (ids === undefined || logProbs === undefined) return {};
  const [, , K] = ids.shape;
  const at = (x: tf.Tensor3D) => tf.gather(x.reshape([-1, K]), rows) as tf.Tensor2D;
  return coarseSums(studentLogits, at(ids), at(logProbs), counted);
}

/** Both distributions with the tokens outside the teacher's list as one. */
function coarseSums(
  studentLogits: tf.Tensor2D,
  ids: tf.Tensor2D,
  logProbs: tf.Tensor2D,
  counted: Counted,
): Sums {
  const [N, V] = studentLogits.shape;
  const K = ids.shape[1];
  const of = (x: tf.Tensor3D) => x.reshape([N, K]);
  const student = of(selectedLogProbs(studentLogits.reshape([1, N, V]), ids.reshape([1, N, K])));
  const rest = (x: tf.Tensor) => tf.scalar(1).sub(x.exp().sum(-1)).clipByValue(1e-7, 1);
  const [studentRest, teacherRest] = [rest(student), rest(logProbs)];
  const listed = (x: tf.Tensor) => ({ probabilities: x.exp(), logProbs: x });
  const restGap = teacherRest.log().sub(studentRest.log());
  const total = (values: tf.Tensor) => counted(values).sum<tf.Scalar>();
  const sum = (first: tf.Tensor, others: tf.Tensor): tf.Scalar => total(first).add(total(others));
  const difference = (a: tf.Tensor, b: tf.Tensor) => a.sub(b).abs().mul(0.5);
  const likeliest = tf.gather(ids, logProbs.argMax(-1), 1, 1);
  const agrees = studentLogits.argMax(-1).equal(likeliest.reshape([N]));
  return {
    coarseForwardKl: sum(klOf(listed(logProbs), student), teacherRest.mul(restGap)),
    coarseReverseKl: sum(klOf(listed(student), logProbs), studentRest.mul(restGap).neg()),
    coarseTotalVariation: sum(
      difference(logProbs.exp(), student.exp()),
      difference(teacherRest, studentRest),
    ),
    studentTailMass: total(studentRest),
    teacherTailMass: total(teacherRest),
    topOneAgreement: total(agrees.toFloat()),
  };
}

/** What the diagnostics are means over. */
export interface DiagnosticCounts {
  readonly positions: number;
  readonly sampledTokens: number;
  readonly pairs: number;
}

/**
 * Share of Σ² / n that float32 sums may be off by: a variance below it is that of advantages that are all equal, as far as
 * sums can tell, and is 0. So is the spread of advantages within a thousandth of their size.
 */
const roundingOfSquares = 1e-6;

/** What the sums say: means over positions or pairs, and the standard deviation of the advantages. */
export function diagnosticMeans(
  sums: Readonly<Record<string, number>>,
  { positions, sampledTokens, pairs }: DiagnosticCounts,
): Record<string, number> {
  const { advantages, advantageSquares, positiveLogProb, negativeLogProb, ...ofPositions } = sums;
  const { ratioMean, clipFraction, referenceKl, ...others } = ofPositions;
  const over = (values: Readonly<Record<string, number | undefined>>, count: number) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, sum]) =>
        sum === undefined ? [] : [[name, sum / Math.max(1, count)]],
      ),
    ) as Record<string, number>;
  const means = {
    ...over(others, positions),
    ...over({ positiveLogProb, negativeLogProb }, pairs),
    ...over({ ratioMean, clipFraction, referenceKl }, sampledTokens),
  };
  if (advantages === undefined || advantageSquares === undefined) return means;
  const mean = advantages / Math.max(1, sampledTokens);
  const meanSquare = advantageSquares / Math.max(1, sampledTokens);
  const variance = meanSquare - mean ** 2;
  return {
    ...means,
    advantageStd: variance > roundingOfSquares * meanSquare ? Math.sqrt(variance) : 0,
  };
}
