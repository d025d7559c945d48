import * as tf from "@tensorflow/tfjs-core";
import { makeBatch, type PlacedSequence, type TokenSequence } from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import { selectedLogProbs } from "../../ops/index.js";
import {
  addCosts,
  type LikelihoodQuestion,
  noCost,
  type SamplingCost,
} from "../../rollouts/index.js";
import type { Teacher } from "../../teachers/index.js";
import { type Random, readValues } from "../../tensors/index.js";

export interface LikelihoodModels {
  readonly student: LanguageModel;
  readonly teacher: Teacher | undefined;
  readonly padId: number;
  /** For teachers that draw; for this batch of questions. */
  readonly random: Random;
}

/** Answers in the order of the questions: the log-probability of every completion token. */
export interface Likelihoods {
  readonly answers: readonly (readonly number[])[];
  readonly cost: SamplingCost;
}

/** Questions per forward pass. */
const rowsPerPass = 64;

/**
 * Asks models for the log-probabilities of given tokens, many questions per forward pass, with one
 * device read for each pass. A teacher is asked for logits only at another temperature than 1.
 */
export async function askLikelihoods(
  questions: readonly LikelihoodQuestion[],
  models: LikelihoodModels,
): Promise<Likelihoods> {
  const answers: (readonly number[])[] = questions.map(() => []);
  const kinds = new Map<string, number[]>();
  for (const [i, { model, temperature, completionIds }] of questions.entries()) {
    if (completionIds.length === 0) continue;
    const kind = `${model} ${temperature}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), i]);
  }
  let cost = noCost;
  for (const indices of kinds.values()) {
    for (let start = 0; start < indices.length; start += rowsPerPass) {
      const part = indices.slice(start, start + rowsPerPass);
      const asked = part.map((i) => questions[i] as LikelihoodQuestion);
      const values = await askTogether(asked, start, models);
      for (const [row, i] of part.entries()) answers[i] = values[row] as readonly number[];
      cost = addCosts(cost, costOf(asked));
    }
  }
  return { answers, cost };
}

/** What scoring costs: one pass per row, and of a teacher the tokens that it scores. */
function costOf(questions: readonly LikelihoodQuestion[]): SamplingCost {
  const isStudent = questions[0]?.model === "student";
  if (isStudent) return { ...noCost, studentForwards: questions.length };
  const teacherTokens = questions.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  return { ...noCost, teacherTokens, teacherForwards: questions.length };
}

async function askTogether(
  questions: readonly LikelihoodQuestion[],
  firstRow: number,
  { student, teacher, padId, random }: LikelihoodModels,
): Promise<number[][]> {
  const { model, temperature } = questions[0] as LikelihoodQuestion;
  const restrict = (row: TokenSequence) => (model === "teacher" && teacher?.restrict?.(row)) || row;
  const rows = questions.map(({ promptIds, completionIds }) =>
    restrict({ ids: [...promptIds, ...completionIds], completionStart: promptIds.length }),
  );
  using batch = makeBatch(rows, padId);
  const { labels } = batch;
  const selected = (logits: tf.Tensor3D) =>
    selectedLogProbs(logits, labels.expandDims<tf.Tensor3D>(2), { temperature });
  let scored: tf.Tensor;
  if (model === "student") {
    scored = tf.tidy(() => selected(student.forward(batch)).squeeze([2]));
  } else {
    if (teacher === undefined) throw new Error("A question to a teacher that is not there.");
    const isPlain = temperature === 1;
    const signal = isPlain ? "teacherTokenLogProbs" : "teacherLogits";
    const scores = await teacher.score(batch, [signal], { random, firstRow });
    scored = tf.tidy(() => {
      const tensors = scores.tensors();
      return isPlain
        ? (tensors.teacherTokenLogProbs as tf.Tensor2D).clone()
        : selected(tensors.teacherLogits as tf.Tensor3D).squeeze([2]);
    });
    scores.dispose?.();
  }
  const values = await readValues(scored, "float32");
  const T = batch.sequenceLength;
  return batch.sequences.map(({ row, ids, completionStart }: PlacedSequence) => [
    ...values.subarray(row * T + completionStart - 1, row * T + ids.length - 1),
  ]);
}
