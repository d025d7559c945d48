import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import {
  evaluateTerm,
  type LossInputs,
  type LossTerm,
  maskedSum,
  needsOf,
} from "../../losses/index.js";
import { type LanguageModel, type LayerResults, SequenceModel } from "../../models/index.js";
import { type RowLoss, tokenLogProbs } from "../../ops/index.js";
import { repeatsCalls } from "../../tensors/index.js";
import { countedWeights, termWeights } from "./counted-rows.js";
import type { GivenValues } from "./given-values.js";
import { advantageSums, diagnosticSums } from "../diagnostics/diagnostics.js";
import { policySums } from "../diagnostics/policy-sums.js";
import { routedSums } from "../diagnostics/routed.js";
import { type RowLosses, rowLossesOf, sumRowLosses, teacherOfRows } from "./hidden-losses.js";
import { evaluateOnLayers, requestedLayers } from "./layer-terms.js";
import { studentScores } from "./list-inputs.js";
import type { MicroBatch } from "./micro-batch.js";
import { pairInputs, pairSums } from "./pair-inputs.js";
import type { Projections } from "./projections.js";
import type { TermPlan } from "./term-plan.js";

/** By `term<index>` and by name of the diagnostic. */
export type Sums = Readonly<Record<string, tf.Tensor>>;

/** Weighted total of all terms, and sums that are read. */
export type Loss = { readonly total: tf.Scalar; readonly sums: Sums };

function namedSums(terms: readonly tf.Tensor[], diagnostics: Sums, routed: Sums = {}): Sums {
  return {
    ...Object.fromEntries(Object.entries(routed).map(([name, sum]) => [routedPrefix + name, sum])),
    ...Object.fromEntries(terms.map((sum, i) => [`term${i}`, sum])),
    ...Object.fromEntries(
      Object.entries(diagnostics).map(([name, sum]) => [diagnosticPrefix + name, sum]),
    ),
  };
}

/** Names of diagnostics among the scalars of a step. */
export const diagnosticPrefix = "diagnostic ";
/** And of those of each of several teachers. */
export const routedPrefix = "routed ";

/** See `StepContext`. */
export interface MicroBatchOptions {
  readonly largestLogitsBytes?: number;
  readonly projections?: Projections;
}

/**
 * The loss of one micro-batch as a function to differentiate: from logits `[B, T, V]`, or without
 * them where they would be large and no term needs them.
 *
 * @param given what the host computed for it
 */
export function microBatchLoss(
  student: LanguageModel | SequenceModel,
  plans: readonly TermPlan[],
  microBatch: MicroBatch,
  given: GivenValues,
  { largestLogitsBytes, projections }: MicroBatchOptions,
): () => Loss {
  if (student instanceof SequenceModel) {
    return lossFromLists(student, plans, microBatch.batch, given);
  }
  const terms = plans.map(({ term }) => term);
  const rowLosses = rowLossesOf(student, terms, microBatch, largestLogitsBytes);
  return rowLosses
    ? lossFromHidden(rowLosses, plans, microBatch, given)
    : lossFromLogits(student, plans, microBatch, given, projections);
}

/** Any loss: what is given is computed at once, the student's part when the loss is called. */
function lossFromLogits(
  student: LanguageModel,
  plans: readonly TermPlan[],
  microBatch: MicroBatch,
  values: GivenValues,
  projections: Projections | undefined,
): () => Loss {
  const { batch, teacher, reference, rollouts, isPairs } = microBatch;
  const { labels, completionMask: positionMask } = batch;
  const answer = teacher?.tensors() ?? {};
  const referenceAnswer = reference?.tensors();
  const { layers: teacherLayers = {}, ownVocabularyLogits, ...teacherTensors } = answer;
  const sampled = rollouts?.inputs(teacherTensors) ?? {};
  const fixed = { labels, positionMask, ...teacherTensors, ...sampled };
  const { teacherLogits } = teacherTensors;
  const ofAdvantages = advantageSums(sampled, () => sampledMask(batch, values));
  const terms = plans.map(({ term }) => term);
  const wantsTokens = isPairs === true || needsOf(terms).includes("tokenLogProbs");
  return () => {
    const { layers, ...own } = studentInputs(student, batch, terms, wantsTokens);
    const inputs = { ...fixed, ...own } as LossInputs;
    const compared = { student: layers, teacher: teacherLayers, projections };
    const pairs = isPairs ? pairInputs(batch, inputs) : undefined;
    const inOwnVocabulary = ownVocabularyLogits && {
      ...inputs,
      teacherLogits: ownVocabularyLogits,
    };
    const sums = plans.map((plan, i) => {
      const takesAny = plan.term.definition.properties.allowsOtherVocabulary === true;
      const ofTeacher = pairs ?? (takesAny ? (inOwnVocabulary ?? inputs) : inputs);
      const isAgainstReference = plan.term.against === "reference";
      const given = isAgainstReference ? { ...ofTeacher, ...referenceAnswer } : ofTeacher;
      const ofTerm = evaluateOnLayers(plan.term, given, compared, plan.state, values.numbers[i]);
      const factors = values.factors[i] as tf.Tensor;
      const weights = termWeights(plan.term, factors, batch, values.written?.[i]);
      return maskedSum(ofTerm, weights as typeof ofTerm);
    });
    const weighted = sums.map((sum, i) => sum.mul(values.scales[i] as tf.Scalar));
    const distributions = {
      student: { logits: inputs.studentLogits },
      ...(teacherLogits ? { teacher: { logits: teacherLogits } } : {}),
      // Draws are not a list of the likeliest.
      ...(teacherTensors.teacherSampleLogProbs ? {} : { sparse: teacherTensors }),
    };
    const { all, routed } = values.looked;
    const diagnostics = diagnosticSums(distributions, all);
    const ofPairs = pairs ? pairSums(pairs) : {};
    const ofPolicy = microBatch.written
      ? policySums({ ...inputs, reference: referenceAnswer?.teacherTokenLogProbs }, terms, () =>
          sampledMask(batch, values),
        )
      : {};
    const unrouted = { ...diagnostics, ...ofAdvantages, ...ofPairs, ...ofPolicy };
    const named = namedSums(sums, unrouted, routedSums(distributions, routed));
    return { total: tf.addN(weighted).asScalar(), sums: named };
  };
}

/** Losses that do without the logits of the whole micro-batch. */
function lossFromHidden(
  { student, losses }: RowLosses,
  plans: readonly TermPlan[],
  { batch, teacher: scores }: MicroBatch,
  { factors, looked, scales }: GivenValues,
): () => Loss {
  const { labels } = batch;
  const given = { labels, ...teacherOfRows(scores) };
  const isData = repeatsCalls();
  const terms = plans.map((plan, i) => ({
    losses: losses[i] as readonly RowLoss[],
    rowWeights: countedWeights(factors[i] as tf.Tensor, batch, "token") as tf.Tensor2D,
    factor: isData ? (scales[i] as tf.Scalar) : plan.factor,
  }));
  return () => {
    const inputs = { student: student(batch), ...given };
    const { total, sums } = sumRowLosses(inputs, terms);
    const routed = routedSums(inputs, looked.routed);
    return { total, sums: namedSums(sums, diagnosticSums(inputs, looked.all), routed) };
  };
}

/** Losses on the scores of lists of candidates. */
function lossFromLists(
  student: SequenceModel,
  plans: readonly TermPlan[],
  batch: Batch,
  { factors, scales, lists, numbers }: GivenValues,
): () => Loss {
  if (lists === undefined) throw new Error("A model with a head for sequences scores lists.");
  const { listMask, scores } = lists;
  return () => {
    const own = studentScores(student, batch, lists);
    const sums = plans.map(({ term, state }, i) => {
      const inputs = { studentScores: own, teacherScores: scores[i], listMask } as LossInputs;
      const values = evaluateTerm(term, inputs, state, numbers[i]) as tf.Tensor1D;
      const weights = countedWeights(factors[i] as tf.Tensor, batch, "row");
      return maskedSum(values, weights as tf.Tensor1D);
    });
    const weighted = sums.map((sum, i) => sum.mul(scales[i] as tf.Scalar));
    return { total: tf.addN(weighted).asScalar(), sums: namedSums(sums, {}) };
  };
}

/** 1 for learned tokens that the student sampled, `[B, T]`. */
function sampledMask({ completionMask }: Batch, { sampled }: GivenValues): tf.Tensor2D {
  if (sampled === undefined) throw new Error("It is not known who wrote the tokens.");
  return completionMask.mul(sampled);
}

/** What one forward pass of the student gives; only what is needed is computed. */
function studentInputs(
  student: LanguageModel,
  batch: Batch,
  terms: readonly LossTerm[],
  wantsTokens: boolean,
): Pick<LossInputs, "studentLogits"> & Partial<LossInputs> & { layers: LayerResults } {
  const wanted = requestedLayers(terms, "student");
  const { logits: studentLogits, layers } = (wanted &&
    student.forwardWithLayers?.(batch, wanted)) ?? { logits: student.forward(batch), layers: {} };
  return {
    studentLogits,
    layers,
    ...(wantsTokens ? { tokenLogProbs: tokenLogProbs(studentLogits, batch.labels) } : {}),
  };
}
