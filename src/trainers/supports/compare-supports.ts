import * as tf from "@tensorflow/tfjs-core";
import { forwardKl, reverseKl } from "../../losses/index.js";
import { type Random, readValues } from "../../tensors/index.js";
import { supportPositions, type SupportPositions } from "./draws.js";
import { type GradientStatistics, gradientStatistics } from "./gradient-statistics.js";
import { type KlDirection, type SupportWay, supportWays } from "./ways.js";

/** Logits of both models at N positions, `[N, V]`, row by row. */
export interface SupportLogits {
  readonly student: Float32Array;
  readonly teacher: Float32Array;
  readonly vocabSize: number;
}

export interface CompareSupportsOptions {
  /** Tokens that are said or drawn at a position. */
  readonly ks: readonly number[];
  /** Gradients of each way that draws. */
  readonly draws: number;
  readonly random: Random;
  /** Makes gradients by the student's parameters of those by its logits: see `parameterGradients`. */
  readonly toParameters?: ((ofLogits: Float32Array) => Promise<Float32Array>) | undefined;
}

/** One line of the table; its statistics are those of the gradient by the logits. */
export interface SupportRow extends GradientStatistics {
  /** Of the gradient by the student's parameters, where that was asked for. */
  readonly parameters?: GradientStatistics;
  readonly way: string;
  readonly direction: KlDirection;
  readonly summary: string;
  /** Tokens of the list; where it is longer than the vocabulary, that. */
  readonly k: number;
  /** Gradients that the figures are from: 1 where nothing is drawn. */
  readonly draws: number;
}

export interface SupportComparison {
  readonly rows: readonly SupportRow[];
  /** Mean divergences of the two models at the positions, in nats. */
  readonly forwardKl: number;
  readonly reverseKl: number;
  /** Mean mass of the teacher on its own k likeliest tokens. */
  readonly teacherMass: Readonly<Record<number, number>>;
}

/**
 * How far gradients from little of a distribution are from those of the full-vocabulary KL, with respect to
 * the student's logits and, with `toParameters`, to its parameters, for each k and each of {@link supportWays}. The losses are those that training uses.
 *
 * The same draws come for every k and way from their own streams, so that a row does not depend on which
 * others are asked for.
 */
export async function compareSupports(
  { student, teacher, vocabSize }: SupportLogits,
  { ks, draws, random, toParameters }: CompareSupportsOptions,
): Promise<SupportComparison> {
  const positions = supportPositions(student, teacher, vocabSize);
  const { count: N } = positions;
  const [studentLogits, teacherLogits] = [student, teacher].map((x) => {
    return tf.tensor3d(x, [1, N, vocabSize]);
  }) as [tf.Tensor3D, tf.Tensor3D];
  try {
    const full = { forward: forwardKl, reverse: reverseKl };
    const truths = {} as Record<KlDirection, Float32Array>;
    const ofParameters = {} as Record<KlDirection, Float32Array | undefined>;
    const values = {} as Record<KlDirection, number>;
    for (const direction of ["forward", "reverse"] as const) {
      const loss = (x: tf.Tensor) => full[direction](x as tf.Tensor3D, teacherLogits).sum();
      truths[direction] = await gradientOf(loss, studentLogits);
      ofParameters[direction] = await toParameters?.(truths[direction]);
      const [value] = await readValues(
        tf.tidy(() => loss(studentLogits)),
        "float32",
      );
      values[direction] = (value as number) / N;
    }
    const rows: SupportRow[] = [];
    for (const way of supportWays) {
      for (const k of ks) {
        const gradients: Float32Array[] = [];
        const moved: Float32Array[] = [];
        const truth = ofParameters[way.direction];
        const count = way.isDrawn ? draws : 1;
        for (let draw = 0; draw < count; draw++) {
          const stream = random.stream(way.direction, way.name, k, draw);
          const gradient = await gradientOfWay(way, positions, studentLogits, k, stream);
          gradients.push(gradient);
          if (toParameters) moved.push(await toParameters(gradient));
        }
        rows.push({
          ...{ way: way.name, direction: way.direction, summary: way.summary },
          ...{ k: Math.min(k, vocabSize), draws: count },
          ...gradientStatistics(gradients, truths[way.direction]),
          ...(truth && { parameters: gradientStatistics(moved, truth) }),
        });
      }
    }
    const teacherMass = Object.fromEntries(ks.map((k) => [k, massOnTop(positions, k)]));
    return { rows, forwardKl: values.forward, reverseKl: values.reverse, teacherMass };
  } finally {
    tf.dispose([studentLogits, teacherLogits]);
  }
}

async function gradientOfWay(
  way: SupportWay,
  positions: SupportPositions,
  studentLogits: tf.Tensor3D,
  k: number,
  random: Random,
): Promise<Float32Array> {
  const { count: N, vocabSize: V, teacherLogProbs } = positions;
  const { K, ids, expectedCounts } = way.choose(positions, k, random);
  const teacher = Float32Array.from(ids, (id, i) => {
    return teacherLogProbs[Math.floor(i / K) * V + id] as number;
  });
  const given = {
    tokenIds: tf.tensor3d(ids, [1, N, K], "int32"),
    teacherLogProbs: tf.tensor3d(teacher, [1, N, K]),
    expectedCounts: tf.tensor3d(expectedCounts, [1, N, K]),
  };
  try {
    const loss = (x: tf.Tensor) => way.loss({ studentLogits: x as tf.Tensor3D, ...given }).sum();
    return await gradientOf(loss, studentLogits);
  } finally {
    tf.dispose(given);
  }
}

async function gradientOf(
  loss: (logits: tf.Tensor) => tf.Tensor,
  logits: tf.Tensor3D,
): Promise<Float32Array> {
  return readValues(
    tf.tidy(() => tf.grad(loss)(logits)),
    "float32",
  ) as Promise<Float32Array>;
}

function massOnTop({ count, vocabSize: V, teacherLogProbs }: SupportPositions, k: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) {
    const row = [...teacherLogProbs.subarray(n * V, (n + 1) * V)].sort((a, b) => b - a);
    sum += row.slice(0, k).reduce((mass, logProb) => mass + Math.exp(logProb), 0);
  }
  return sum / count;
}
