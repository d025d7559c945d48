import * as tf from "@tensorflow/tfjs-core";
import { type Batch, makeBatch, type TokenSequence } from "../../data/index.js";
import {
  crossEntropyLoss,
  evaluateTerm,
  forwardKlLoss,
  type LossTerm,
  lossTerm,
  maskedSum,
  reverseKlLoss,
} from "../../losses/index.js";
import type { LanguageModel } from "../../models/index.js";
import { type Rollout, type SamplingPolicy, sampleRollouts } from "../../rollouts/index.js";
import type { Teacher, TeacherScores } from "../../teachers/index.js";
import { type Random, readScalars } from "../../tensors/index.js";
import { asRowLosses, sumRowLosses, teacherOfRows } from "../step/hidden-losses.js";

/** Mean negative log-likelihood of held-out tokens, in nats, and its exponential. */
export interface HeldOutLoss {
  readonly loss: number;
  readonly perplexity: number;
  readonly tokens: number;
}

/** Cross-entropy per predicted token over given rows, in batches of `batchSize` rows. */
export async function evaluateLoss(
  model: LanguageModel,
  rows: readonly TokenSequence[],
  batchSize: number,
  padId: number,
): Promise<HeldOutLoss> {
  let sum = 0;
  let tokens = 0;
  for (let start = 0; start < rows.length; start += batchSize) {
    using batch = makeBatch(rows.slice(start, start + batchSize), padId);
    const total = tf.tidy(() => evaluationSums(model, batch, [lossTerm(crossEntropyLoss, {})])[0]);
    sum += (await readScalars({ total: total as tf.Scalar })).total;
    tokens += batch.numTokens;
  }
  const loss = tokens === 0 ? 0 : sum / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}

/** Σ over completion tokens of each term, without a gradient; large logits are never made whole. */
function evaluationSums(
  model: LanguageModel,
  batch: Batch,
  terms: readonly LossTerm[],
  scores?: TeacherScores,
): tf.Scalar[] {
  const { labels, completionMask } = batch;
  const rowLosses = asRowLosses(model, terms, batch);
  if (rowLosses) {
    const inputs = { student: rowLosses.student(batch), labels, ...teacherOfRows(scores) };
    const parts = rowLosses.losses.map((losses) => {
      return { losses, rowWeights: completionMask, factor: 1 };
    });
    return sumRowLosses(inputs, parts).sums;
  }
  const inputs = { studentLogits: model.forward(batch), labels, ...scores?.tensors() };
  return terms.map((term) => maskedSum(evaluateTerm(term, inputs) as tf.Tensor2D, completionMask));
}

/** How far the student is from the teacher on tokens that the student wrote, in nats per token. */
export interface TeacherDivergence {
  /** KL(teacher ‖ student). */
  readonly forwardKl: number;
  /** KL(student ‖ teacher). */
  readonly reverseKl: number;
  readonly tokens: number;
}

/** Both divergences at temperature 1, averaged over the tokens of rollouts that are learned. */
export async function evaluateDivergence(
  student: LanguageModel,
  teacher: Teacher,
  rollouts: readonly TokenSequence[],
  batchSize: number,
  padId: number,
): Promise<TeacherDivergence> {
  const sums = { forwardKl: 0, reverseKl: 0 };
  let tokens = 0;
  for (let start = 0; start < rollouts.length; start += batchSize) {
    const rows = rollouts.slice(start, start + batchSize);
    const learned = rows.map((row) => teacher.restrict?.(row) ?? row);
    using batch = makeBatch(learned, padId);
    const scores = await teacher.score(batch, ["teacherLogits"]);
    const terms = [lossTerm(forwardKlLoss, {}), lossTerm(reverseKlLoss, {})];
    let totals: tf.Scalar[];
    try {
      totals = tf.tidy(() => evaluationSums(student, batch, terms, scores));
    } finally {
      scores.dispose?.();
    }
    const [forwardSum, reverseSum] = totals as [tf.Scalar, tf.Scalar];
    const { forward, reverse } = await readScalars({ forward: forwardSum, reverse: reverseSum });
    sums.forwardKl += forward;
    sums.reverseKl += reverse;
    tokens += batch.numTokens;
  }
  const count = Math.max(1, tokens);
  return { forwardKl: sums.forwardKl / count, reverseKl: sums.reverseKl / count, tokens };
}

/** A student's own completions of prompts, with what they say about its length and end behaviour. */
export interface SampledCompletions {
  readonly rollouts: readonly Rollout[];
  /** Mean number of completion tokens, the end token included. */
  readonly meanLength: number;
  /** Share of completions that ended by themselves. */
  readonly endRate: number;
}

export interface SampleOptions {
  readonly batchSize: number;
  readonly endIds: readonly number[];
  readonly padId: number;
  readonly maxNewTokens: number;
  readonly maxPositions?: number | undefined;
  readonly policy: SamplingPolicy;
  readonly random: Random;
}

/** Samples one completion per prompt, in batches; a prompt's tokens do not depend on its batch. */
export async function sampleCompletions(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: SampleOptions,
): Promise<SampledCompletions> {
  const { batchSize, ...sampling } = options;
  const rollouts: Rollout[] = [];
  for (let start = 0; start < prompts.length; start += batchSize) {
    const part = prompts.slice(start, start + batchSize);
    const sequenceIds = part.map((_, i) => start + i);
    rollouts.push(...(await sampleRollouts({ model, prompts: part, sequenceIds, ...sampling })));
  }
  return withLengths(rollouts);
}

/** Completions with their mean length and the share that ended. */
export function withLengths(rollouts: readonly Rollout[]): SampledCompletions {
  const tokens = rollouts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  const ended = rollouts.filter(({ finished }) => finished).length;
  const count = Math.max(1, rollouts.length);
  return { rollouts, meanLength: tokens / count, endRate: ended / count };
}
