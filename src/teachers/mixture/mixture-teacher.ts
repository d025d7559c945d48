import * as tf from "@tensorflow/tfjs-core";
import type { TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { logProbsFromLogits } from "../../ops/index.js";
import { disposeAll } from "../../tensors/index.js";
import { logitScores } from "../logit-scores.js";
import {
  checkDistributionOptions,
  type DistributionOptions,
  drawsOf,
  logitSignals,
} from "../logit-signals.js";
import { joinedSource } from "../score-source.js";
import type { Teacher } from "../teacher.js";
import { leastPositions, sameVocabSize } from "./same-vocabulary.js";

export interface WeightedTeacher {
  readonly teacher: Teacher;
  /** Above 0; only its share of the sum matters. */
  readonly weight: number;
}

/**
 * Log-probabilities of a mixture of distributions, log Σ_i w_i softmax(l_i), by a log-sum-exp that
 * neither overflows nor loses small probabilities.
 *
 * @param logits one `[B, T, V]` per distribution
 * @param weights they sum to 1
 * @returns `[B, T, V]`
 */
export function mixLogProbs(
  logits: readonly tf.Tensor3D[],
  weights: readonly number[],
): tf.Tensor3D {
  return tf.tidy(() => {
    const parts = logits.map((given, i) =>
      logProbsFromLogits(given).add(Math.log(weights[i] as number)),
    );
    return tf.logSumExp(tf.stack(parts), 0) as tf.Tensor3D;
  });
}

/**
 * Several teachers as one, whose next-token distribution is the weighted mean of theirs, at every
 * position anew. Needs the whole distribution of each: of a teacher that gives a few tokens, those
 * that it did not send have an unknown share of its tail, and no union of lists repairs that.
 * Takes ownership of the teachers.
 *
 * @throws PupilError for teachers without logits or of different vocabularies
 */
export function mixtureTeacher(
  members: readonly WeightedTeacher[],
  options: DistributionOptions = {},
  name = "mixture",
): Teacher {
  const teachers = members.map(({ teacher }) => teacher);
  const vocabSize = sameVocabSize(teachers);
  checkDistributionOptions(options, vocabSize);
  const sparse = teachers.find(({ provides }) => !provides.includes("teacherLogits"));
  if (sparse !== undefined) {
    throw new PupilError(
      `A mixture of probabilities needs the logits of every teacher, "${sparse.name}" gives only ${sparse.provides.join(", ")}.`,
      {
        field: "teacher.teachers",
        remedy:
          'Use mode "route", which asks one teacher per row, or teachers that give their logits.',
      },
    );
  }
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const weights = members.map(({ weight }) => weight / total);
  const dispose = () => disposeAll(teachers);
  return {
    name,
    vocabSize,
    ...leastPositions(teachers),
    provides: logitSignals(options),
    ...drawsOf(options),
    ...(teachers.some(({ restrict }) => restrict !== undefined)
      ? {
          restrict: (row: TokenSequence) =>
            teachers.reduce((left, teacher) => teacher.restrict?.(left) ?? left, row),
        }
      : {}),
    async score(batch, needs, context) {
      const scores = await Promise.all(
        teachers.map((teacher) => teacher.score(batch, ["teacherLogits"], context)),
      );
      const mixture = {
        logits: () =>
          mixLogProbs(
            scores.map((score) => score.tensors().teacherLogits as tf.Tensor3D),
            weights,
          ),
        source: () => joinedSource(`mixture ${weights.join()}`, scores, []),
        dispose: () => {
          for (const score of scores) score.dispose?.();
        },
      };
      return logitScores(mixture, batch, needs, options, context);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
