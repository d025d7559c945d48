import * as tf from "@tensorflow/tfjs-core";
import { learnedPositions, makeBatch, type TokenSequence } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import {
  distributionStatisticNames,
  distributionStatistics,
  logProbsFromLogits,
  selectedLogProbs,
} from "../../ops/index.js";
import type { Teacher } from "../../teachers/index.js";
import { readValues } from "../../tensors/index.js";

/** A token that a model might have written, with its probability at temperature 1. */
export interface Alternative {
  readonly id: number;
  readonly probability: number;
}

/** How a student, and a teacher where there is one, see one token of a text; in nats at temperature 1. */
export interface TokenView {
  /** Index of the token in the row. */
  readonly position: number;
  readonly id: number;
  /** log S(y) of the token that stands there. */
  readonly studentLogProb: number;
  /** The student's likeliest tokens, in descending order. */
  readonly student: readonly Alternative[];
  readonly studentEntropy: number;
  readonly ofTeacher?: {
    readonly likeliest: readonly Alternative[];
    readonly entropy: number;
    /** KL(teacher ‖ student). */
    readonly forwardKl: number;
    /** KL(student ‖ teacher). */
    readonly reverseKl: number;
    /** log T(y) − log S(y) of the token that stands there: what on-policy distillation rewards. */
    readonly advantage: number;
  };
}

/** Whether a teacher gives its whole distribution, over the student's vocabulary, of any row. */
export function scoresOwnText(student: LanguageModel, teacher: Teacher | undefined): boolean {
  return (
    teacher !== undefined &&
    teacher.vocabSize === student.config.vocabSize &&
    teacher.provides.includes("teacherLogits") &&
    teacher.scoresOnly === undefined
  );
}

export interface ViewTokensOptions {
  readonly padId: number;
  /** Likeliest tokens of each model. Default: 5. */
  readonly alternatives?: number;
}

/**
 * Looks at the learned tokens of a row one by one. Makes the logits of the row, `[1, T, V]`, of both
 * models; reads once from the device.
 *
 * @param teacher for which {@link scoresOwnText} holds
 */
export async function viewTokens(
  student: LanguageModel,
  teacher: Teacher | undefined,
  row: TokenSequence,
  { padId, alternatives = 5 }: ViewTokensOptions,
): Promise<TokenView[]> {
  const fitting = { ...row, ids: row.ids.slice(0, teacher?.maxPositions) };
  const known = teacher?.restrict?.(fitting) ?? fitting;
  const positions = learnedPositions(known);
  if (positions.length === 0) return [];
  const { ids } = known;
  const K = Math.min(alternatives, student.config.vocabSize);
  using batch = makeBatch([known], padId);
  const scores = await teacher?.score(batch, ["teacherLogits"]);
  let all: tf.Tensor2D;
  try {
    all = tf.tidy(() => {
      // Position t is about the id at t + 1.
      const rows = tf.tensor1d(
        positions.map((position) => position - 1),
        "int32",
      );
      const own = tf.tensor1d(positions.map((position) => ids[position] as number)).toInt();
      const at = (logits: tf.Tensor3D) => tf.gather(logits.squeeze([0]), rows) as tf.Tensor2D;
      const studentLogits = at(student.forward(batch));
      const answer = scores?.tensors().teacherLogits;
      const teacherLogits = answer === undefined ? studentLogits : at(answer);
      const columns = [
        distributionStatistics(studentLogits, teacherLogits),
        ...likeliest(studentLogits, own, K),
        ...(answer === undefined ? [] : likeliest(teacherLogits, own, K)),
      ];
      return tf.concat(columns, 1);
    });
  } finally {
    scores?.dispose?.();
  }
  const width = all.shape[1];
  const values = await readValues(all, "float32");
  return positions.map((position, n) => {
    const numbers = [...values.subarray(n * width, (n + 1) * width)];
    return viewOf(position, ids[position] as number, numbers, K);
  });
}

/** `[N, 1 + 2K]`: log-probability of the token that stands there, the K highest ones and their ids. */
function likeliest(logits: tf.Tensor2D, own: tf.Tensor1D, K: number): tf.Tensor2D[] {
  const N = own.size;
  const all = logits.expandDims<tf.Tensor3D>(0);
  const ownLogProb = selectedLogProbs(all, own.reshape([1, N, 1]));
  const { values, indices } = tf.topk(logProbsFromLogits(all), K, true);
  return [
    ownLogProb.reshape([N, 1]),
    values.reshape([N, K]),
    indices.reshape<tf.Tensor2D>([N, K]).toFloat(),
  ];
}

function viewOf(position: number, id: number, numbers: readonly number[], K: number): TokenView {
  const statistics = Object.fromEntries(
    distributionStatisticNames.map((name, i) => [name, numbers[i] as number]),
  ) as Record<(typeof distributionStatisticNames)[number], number>;
  const [studentPart, teacherPart] = [0, 1].map((model) => {
    const start = distributionStatisticNames.length + model * (1 + 2 * K);
    return numbers.slice(start, start + 1 + 2 * K);
  }) as [number[], number[]];
  const [studentLogProb = 0] = studentPart;
  const { studentEntropy, teacherEntropy: entropy, forwardKl, reverseKl } = statistics;
  const view = { position, id, studentLogProb, student: listOf(studentPart, K), studentEntropy };
  const [teacherLogProb] = teacherPart;
  if (teacherLogProb === undefined) return view;
  const advantage = teacherLogProb - studentLogProb;
  const common = { likeliest: listOf(teacherPart, K), entropy, forwardKl, reverseKl, advantage };
  return { ...view, ofTeacher: common };
}

const listOf = ([, ...numbers]: readonly number[], K: number): Alternative[] =>
  Array.from({ length: K }, (_, k) => ({
    id: numbers[K + k] as number,
    probability: Math.exp(numbers[k] as number),
  }));
