import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import {
  evaluateTerm,
  initialLossStates,
  type LossInputs,
  type LossStates,
  type LossTerm,
  maskedSum,
  needsOf,
  termLabels,
  weightAt,
} from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { globalNorm, type RowLoss, tokenLogProbs } from "../ops/index.js";
import { type AdamW, clipScale } from "../optim/index.js";
import type { TeacherScores, TeacherTensors } from "../teachers/index.js";
import { disposeAll, keepTensor, readScalars, variableGradients } from "../tensors/index.js";
import { countedRows, type CountedRows, countedWeights } from "./counted-rows.js";
import { asRowLosses, type RowLosses, sumRowLosses, teacherOfRows } from "./hidden-losses.js";
import type { RolloutInputs } from "./rollout-inputs.js";

/** The rows of one forward and backward pass. */
export interface MicroBatch {
  readonly batch: Batch;
  readonly teacher?: TeacherScores;
  /** How many of the batch's first sequences the student wrote: their tokens are no ground truth. */
  readonly onPolicyRows: number;
  /** What is known of those rows from when they were sampled; asked for inside the memory scope. */
  readonly rollouts?: (teacher: Partial<TeacherTensors>) => RolloutInputs;
}

/** Where in the training a step is. */
export interface StepContext {
  /** Share of the training that is done, 0 at the first step and 1 at the last. */
  readonly progress: number;
  /** Of the terms, in their order. */
  readonly states: LossStates;
  /**
   * Student logits `[B, T, V]` of a micro-batch that would be larger are not made, if every term is a
   * sum of row losses (`LossDefinition.rowLosses`). Default: 16 MiB.
   */
  readonly largestLogitsBytes?: number;
}

/** Gradients of one optimizer step with what is known about them. Owns its tensors. */
export interface StepGradients extends Disposable {
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  readonly norm: tf.Scalar;
  /** Weighted total, and each term unweighted, as means over their tokens. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** The same as `terms`, in their order. */
  readonly means: readonly number[];
  readonly gradNorm: number;
  dispose(): void;
}

/**
 * Loss and gradient of one optimizer step over any number of micro-batches.
 *
 * Each term is Σ weight·value over all micro-batches, divided once by the count of its tokens (or
 * rows) in the whole step: how the rows are split into micro-batches cannot change the result. A
 * term counts only rows that have what it reads: see {@link countedRows}.
 *
 * Where the logits would be large and every term is a sum of row losses (cross-entropy, the KLs, the
 * JSD), they are never made: see {@link asRowLosses}. The result is the same up to rounding.
 *
 * One device read per step. Throws a PupilError naming term and tensor if a value is not finite;
 * no parameter has been touched by then.
 */
export async function computeGradients(
  student: LanguageModel,
  terms: readonly LossTerm[],
  microBatches: readonly MicroBatch[],
  context: StepContext = { progress: 0, states: initialLossStates(terms) },
): Promise<StepGradients> {
  const { progress, states } = context;
  const rows = terms.map((term) => countedRows(term, microBatches));
  const weights = terms.map((term) => weightAt(term.weight, progress));
  const counts = rows.map(({ count }) => Math.max(1, count));
  const plans = terms.map((term, i): TermPlan => {
    const factor = (weights[i] as number) / (counts[i] as number);
    return { term, factor, state: states[i], rows: rows[i] as CountedRows };
  });
  const step = accumulate(student, plans, microBatches, context);
  try {
    const { gradNorm, ...sums } = await readScalars(step.scalars);
    const means = counts.map((count, i) => (sums[`term${i}`] as number) / count);
    const loss = means.reduce((total, mean, i) => total + (weights[i] as number) * mean, 0);
    const named = Object.fromEntries(termLabels(terms).map((label, i) => [label, means[i]]));
    const result = {
      loss,
      terms: named as Record<string, number>,
      means,
      gradNorm: gradNorm as number,
    };
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      throw await notFinite(result.terms, step.gradients);
    }
    const { gradients, norm } = step;
    const dispose = () => disposeAll([...gradients.values(), norm]);
    return { ...result, gradients, norm, dispose, [Symbol.dispose]: dispose };
  } catch (error) {
    disposeAll([...step.gradients.values(), step.norm]);
    throw error;
  }
}

/** Clips by global norm and updates the parameters; nothing is read back. */
export function applyGradients(
  optimizer: AdamW,
  step: StepGradients,
  learningRate: number,
  maxGradNorm: number | undefined,
): void {
  tf.tidy(() => {
    optimizer.apply(step.gradients, learningRate, clipScale(step.norm, maxGradNorm));
  });
}

/** A term with all that does not depend on the micro-batch. */
interface TermPlan {
  readonly term: LossTerm;
  /** Weight of the term over the count of what it averages. */
  readonly factor: number;
  readonly state: LossStates[number];
  readonly rows: CountedRows;
}

interface Accumulated {
  readonly gradients: Map<string, tf.Tensor>;
  readonly norm: tf.Scalar;
  readonly scalars: Record<string, tf.Tensor>;
}

function accumulate(
  student: LanguageModel,
  plans: readonly TermPlan[],
  microBatches: readonly MicroBatch[],
  context: StepContext,
): Accumulated {
  const names = [...student.parameters.keys()].filter((n) => student.parameters.get(n)?.trainable);
  const variables = names.map((name) => student.parameters.get(name) as tf.Variable);
  let gradients: tf.Tensor[] = [];
  let sums: tf.Tensor[] = [];
  for (const [index, microBatch] of microBatches.entries()) {
    const added = tf.tidy(() => {
      const terms = plans.map(({ term }) => term);
      const { largestLogitsBytes } = context;
      const rowLosses = asRowLosses(student, terms, microBatch.batch, largestLogitsBytes);
      const evaluate = rowLosses
        ? lossFromHidden(rowLosses, plans, microBatch, index)
        : lossFromLogits(student, plans, microBatch, index);
      return lossGradients(evaluate, variables);
    });
    const previous = [gradients, sums];
    gradients = sumInto(gradients, added.gradients);
    sums = sumInto(sums, added.sums);
    // With one micro-batch nothing was added up and the tensors are passed on as they are.
    if (previous[0]?.length) disposeAll([...previous.flat(), ...added.gradients, ...added.sums]);
  }
  const norm = globalNorm(gradients);
  const scalars = Object.fromEntries(sums.map((sum, i) => [`term${i}`, sum]));
  return {
    gradients: new Map(names.map((name, i) => [name, gradients[i] as tf.Tensor])),
    norm,
    scalars: { ...scalars, gradNorm: norm.clone() },
  };
}

function sumInto(total: readonly tf.Tensor[], added: readonly tf.Tensor[]): tf.Tensor[] {
  return total.length === 0 ? [...added] : added.map((t, i) => tf.add(total[i] as tf.Tensor, t));
}

/** Weighted total of all terms, and the sum of every term by itself. */
type Loss = { readonly total: tf.Scalar; readonly sums: readonly tf.Tensor[] };

function lossGradients(
  evaluate: () => Loss,
  variables: readonly tf.Variable[],
): { gradients: tf.Tensor[]; sums: tf.Tensor[] } {
  let sums: tf.Tensor[] = [];
  const { value, gradients } = variableGradients(() => {
    const loss = evaluate();
    sums = loss.sums.map((sum) => keepTensor(sum.clone()));
    return loss.total;
  }, variables);
  value.dispose();
  return { gradients, sums };
}

/** Any loss: what is given is computed at once, the student's part when the loss is called. */
function lossFromLogits(
  student: LanguageModel,
  plans: readonly TermPlan[],
  { batch, teacher, rollouts }: MicroBatch,
  index: number,
): () => Loss {
  const { labels } = batch;
  const teacherTensors = teacher?.tensors() ?? {};
  const fixed = { labels, ...teacherTensors, ...rollouts?.(teacherTensors) };
  const needs = needsOf(plans.map(({ term }) => term));
  return () => {
    const inputs = { ...fixed, ...studentInputs(student, batch, needs) };
    const sums = plans.map((plan) => {
      const values = evaluateTerm(plan.term, inputs, plan.state);
      const weights = countedWeights(plan.rows, index, batch, plan.term.definition.per);
      return maskedSum(values, weights as typeof values);
    });
    const weighted = sums.map((sum, i) => sum.mul((plans[i] as TermPlan).factor));
    return { total: tf.addN(weighted).asScalar(), sums };
  };
}

/** Losses that do without the logits of the whole micro-batch. */
function lossFromHidden(
  { student, losses }: RowLosses,
  plans: readonly TermPlan[],
  { batch, teacher }: MicroBatch,
  index: number,
): () => Loss {
  const { labels } = batch;
  const given = { labels, ...teacherOfRows(teacher) };
  const terms = plans.map((plan, i) => ({
    losses: losses[i] as readonly RowLoss[],
    rowWeights: countedWeights(plan.rows, index, batch, "token") as tf.Tensor2D,
    factor: plan.factor,
  }));
  return () => sumRowLosses({ student: student(batch), ...given }, terms);
}

/** What the forward pass of the student gives; only what is needed is computed. */
function studentInputs(
  student: LanguageModel,
  batch: Batch,
  needs: readonly string[],
): Partial<LossInputs> {
  const studentLogits = student.forward(batch);
  return needs.includes("tokenLogProbs")
    ? { studentLogits, tokenLogProbs: tokenLogProbs(studentLogits, batch.labels) }
    : { studentLogits };
}

async function notFinite(
  terms: Readonly<Record<string, number>>,
  gradients: ReadonlyMap<string, tf.Tensor>,
): Promise<PupilError> {
  const badTerms = Object.entries(terms).filter(([, value]) => !Number.isFinite(value));
  const badTensors: string[] = [];
  for (const [name, gradient] of gradients) {
    if ((await gradient.data()).some((value) => !Number.isFinite(value))) badTensors.push(name);
  }
  const what = badTerms.map(([name, value]) => `term ${name} is ${value}`);
  if (badTensors.length > 0) {
    const rest = badTensors.length > 1 ? ` and ${badTensors.length - 1} more` : "";
    what.push(`the gradient of ${badTensors[0]}${rest} is not finite`);
  }
  return new PupilError(`The loss is not finite: ${what.join("; ")}.`, {
    remedy: "The parameters were not updated. Try a lower learningRate or a maxGradNorm.",
  });
}
