import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import {
  initialLossStates,
  type LossStates,
  readsLayers,
  termLabels,
  weightAt,
} from "../../losses/index.js";
import { type LanguageModel, SequenceModel } from "../../models/index.js";
import { globalNorm } from "../../ops/index.js";
import type { AdamW } from "../../optim/index.js";
import {
  disposeAll,
  keepTensor,
  reachedGradients,
  readStacked,
  recorded,
  type RecordedResult,
  stackScalars,
  variableGradients,
} from "../../tensors/index.js";
import { isLearned } from "../../data/index.js";
import type { WrittenTokens } from "./written-tokens.js";
import { countedRows, type CountedRows } from "./counted-rows.js";
import { diagnosedRows, paddedRows } from "../diagnostics/diagnosed-rows.js";
import { diagnosticMeans } from "../diagnostics/diagnostics.js";
import { routedMeans, type RoutedPositions, routedPositions } from "../diagnostics/routed.js";
import { type GivenValues, type LookedPositions, stepValues } from "./given-values.js";
import type { MicroBatch } from "./micro-batch.js";
import { tokensPerPair } from "./pair-inputs.js";
import type { Projections } from "./projections.js";
import { stepCall } from "./step-call.js";
import type { StepTerm } from "./step-term.js";
import type { TermPlan } from "./term-plan.js";
import {
  diagnosticPrefix,
  type Loss,
  microBatchLoss,
  routedPrefix,
  type Sums,
} from "./micro-batch-loss.js";
import { type FailedStep, notFinite } from "./not-finite.js";

export type { MicroBatch } from "./micro-batch.js";

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
  /** Most positions that the diagnostics look at; 0 turns them off. Default: 512. */
  readonly mostDiagnosedRows?: number;
  /** Trained beside the student, for hidden states of another width than the teacher's. */
  readonly projections?: Projections;
  /** For the texts of tokens in errors. */
  readonly tokenizer?: FailedStep["tokenizer"];
}

/** Gradients of one optimizer step with what is known about them. Owns its tensors. */
export interface StepGradients extends Disposable {
  /** By name of the parameter; without those that no term reaches, as behind the last layer compared. */
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  readonly norm: tf.Scalar;
  /** Weighted total, and each term unweighted, as means over their tokens. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** The same as `terms`, in their order. */
  readonly means: readonly number[];
  /** See {@link diagnosticSums}; means over some of the learned positions. */
  readonly diagnostics: Readonly<Record<string, number>>;
  /** Divergences from each of several teachers, over the positions that it scored. */
  readonly routed: Readonly<Record<string, Readonly<Record<string, number>>>>;
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
 * One device read per step. Throws a NotFiniteError naming term, tensor and token if a value is not finite;
 * no parameter has been touched by then.
 */
export async function computeGradients(
  student: LanguageModel | SequenceModel,
  terms: readonly StepTerm[],
  microBatches: readonly MicroBatch[],
  context: StepContext = { progress: 0, states: initialLossStates(terms) },
): Promise<StepGradients> {
  const { progress, states } = context;
  const rows = terms.map((term) => countedRows(term, microBatches));
  const weights = terms.map((term) => weightAt(term.weight, progress));
  const counts = rows.map(({ count }) => Math.max(1, count));
  const plans = terms.map((term, i): TermPlan => {
    const factor = (weights[i] as number) / (counts[i] as number);
    const state = states[i];
    const numbers = state && term.definition.state?.numbers?.(state);
    return { term, factor, state, numbers, rows: rows[i] as CountedRows };
  });
  const batches = microBatches.map(({ batch }) => batch);
  // Scores of whole sequences have no positions to look at.
  const mostLooked = student instanceof SequenceModel ? 0 : context.mostDiagnosedRows;
  const looked = diagnosedRows(batches, student.config.vocabSize, mostLooked);
  const routed = microBatches.map(({ batch, teacher }, i) =>
    routedPositions(batch, teacher?.routes, looked[i] as readonly number[]),
  );
  const step = accumulate(
    student,
    plans,
    microBatches,
    { looked, routed },
    { ...context, mostLooked },
  );
  try {
    const { gradNorm, ...sums } = await readStacked(step.names, step.scalars);
    const means = counts.map((count, i) => (sums[`term${i}`] as number) / count);
    const loss = means.reduce((total, mean, i) => total + (weights[i] as number) * mean, 0);
    const named = Object.fromEntries(termLabels(terms).map((label, i) => [label, means[i]]));
    const result = {
      loss,
      terms: named as Record<string, number>,
      means,
      diagnostics: diagnosticMeans(withoutPrefix(sums, diagnosticPrefix), {
        positions: looked.reduce((count, { length }) => count + length, 0),
        sampledTokens: sampledTokens(microBatches),
        pairs: wholePairs(microBatches),
      }),
      routed: routedMeans(withoutPrefix(sums, routedPrefix), routed),
      gradNorm: gradNorm as number,
    };
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      const { gradients } = step;
      throw await notFinite({
        ...{ student, plans, microBatches, means, gradients, tokenizer: context.tokenizer },
      });
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
  optimizer.applyClipped(step.gradients, learningRate, { norm: step.norm, maxGradNorm });
}

function withoutPrefix(values: Readonly<Record<string, number>>, prefix: string) {
  const entries = Object.entries(values).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function sampledTokens(microBatches: readonly MicroBatch[]): number {
  return microBatches.reduce((sum, { batch, onPolicyRows, written }) => {
    if (written !== undefined) return sum + ownTokens(batch, written);
    const own = batch.tokensPerSequence.slice(0, onPolicyRows);
    return sum + own.reduce((total, tokens) => total + tokens, 0);
  }, 0);
}

function ownTokens({ sequences }: MicroBatch["batch"], { own }: WrittenTokens): number {
  const counts = sequences.map((sequence, i) => {
    const isCounted = (value: number, t: number) =>
      value === 1 && isLearned(sequence, sequence.completionStart + t);
    return own[i]?.filter(isCounted).length ?? 0;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function wholePairs(microBatches: readonly MicroBatch[]): number {
  const counts = microBatches.map(({ batch, isPairs }) =>
    isPairs ? tokensPerPair(batch.tokensPerSequence).filter((tokens) => tokens > 0).length : 0,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

interface Accumulated {
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  readonly norm: tf.Scalar;
  /** Everything that is read, `[N]`, and what it is called. */
  readonly scalars: tf.Tensor1D;
  readonly names: readonly string[];
}

function accumulate(
  student: LanguageModel | SequenceModel,
  plans: readonly TermPlan[],
  microBatches: readonly MicroBatch[],
  {
    looked,
    routed,
  }: {
    readonly looked: readonly (readonly number[])[];
    readonly routed: readonly RoutedPositions[];
  },
  context: StepContext & { readonly mostLooked: number | undefined },
): Accumulated {
  const trainable = student.trainableParameters();
  if (trainable.size === 0) {
    throw new PupilError("Nothing of the student can be trained: all its parameters are frozen.", {
      field: "student",
      remedy: "Make an adapter active (setActiveAdapter), or set `trainable` of some parameters.",
    });
  }
  const projections = [...(context.projections?.parameters ?? [])];
  const variables = new Map([
    ...trainable,
    ...projections.filter(([, parameter]) => parameter.trainable),
  ]);
  const { vocabSize } = student.config;
  const given = microBatches.map(({ batch }, i): LookedPositions => {
    const padded = (rows: readonly number[]) =>
      paddedRows(rows, batch, vocabSize, context.mostLooked);
    const ofTeachers = [...(routed[i] as RoutedPositions)];
    return {
      all: padded(looked[i] as readonly number[]),
      routed: new Map(ofTeachers.map(([teacher, rows]) => [teacher, padded(rows)])),
    };
  });
  using values = stepValues(plans, microBatches, given);
  const mayEndEarly = plans.some(({ term }) => readsLayers(term.definition));
  const compute = (): RecordedResult<StepNames> => {
    let gradients: Sums = {};
    let sums: Sums = {};
    for (const [index, microBatch] of microBatches.entries()) {
      const added = tf.tidy(() => {
        const given = values.parts[index] as GivenValues;
        const loss = microBatchLoss(student, plans, microBatch, given, context);
        return lossGradients(loss, variables, mayEndEarly);
      });
      gradients = addUpNamed(gradients, added.gradients);
      sums = addUpNamed(sums, added.sums);
    }
    const norm = globalNorm(Object.values(gradients));
    const scalars = stackScalars({ ...sums, gradNorm: norm });
    disposeAll(Object.values(sums));
    const ofParameters = Object.entries(gradients).map(([name, t]) => [gradientPrefix + name, t]);
    return {
      tensors: { norm, scalars, ...(Object.fromEntries(ofParameters) as Sums) },
      facts: { gradients: Object.keys(gradients), scalars: [...Object.keys(sums), "gradNorm"] },
    };
  };
  const callOf = () => stepCall(student, plans, microBatches, values, context, variables);
  const { tensors, facts } = recorded(callOf, compute);
  return {
    gradients: new Map(
      facts.gradients.map((name) => [name, tensors[gradientPrefix + name] as tf.Tensor]),
    ),
    norm: tensors["norm"] as tf.Scalar,
    scalars: tensors["scalars"] as tf.Tensor1D,
    names: facts.scalars,
  };
}

const gradientPrefix = "gradient of ";

/** By what a step computes: the parameters that it reaches, and the scalars that are read. */
interface StepNames {
  readonly gradients: readonly string[];
  readonly scalars: readonly string[];
}

/** total + added, both used up. */
function addUp(total: readonly tf.Tensor[], added: readonly tf.Tensor[]): tf.Tensor[] {
  const sums = added.map((t, i) => tf.add(total[i] as tf.Tensor, t));
  disposeAll([...total, ...added]);
  return sums;
}

/** The same by name; a name that only one of them has keeps its value. */
function addUpNamed(total: Sums, added: Sums): Sums {
  const common = Object.keys(added).filter((name) => total[name] !== undefined);
  const sums = addUp(
    common.map((name) => total[name] as tf.Tensor),
    common.map((name) => added[name] as tf.Tensor),
  );
  const both = Object.fromEntries(common.map((name, i) => [name, sums[i] as tf.Tensor]));
  return { ...total, ...added, ...both };
}

/** @param mayEndEarly whether parameters that the loss does not reach are no mistake */
function lossGradients(
  evaluate: () => Loss,
  variables: ReadonlyMap<string, tf.Variable>,
  mayEndEarly: boolean,
): { gradients: Sums; sums: Sums } {
  let sums: Sums = {};
  const differentiate = mayEndEarly ? reachedGradients : variableGradients;
  const evaluateOnce = () => {
    const loss = evaluate();
    const kept = Object.entries(loss.sums).map(([name, sum]) => [name, keepTensor(sum.clone())]);
    sums = Object.fromEntries(kept) as Sums;
    return loss.total;
  };
  const { value, gradients } = differentiate(evaluateOnce, [...variables.values()]);
  value.dispose();
  const named = [...variables.keys()].map((name, i) => [name, gradients[i]] as const);
  const reached = named.filter(([, gradient]) => gradient !== undefined);
  return { gradients: Object.fromEntries(reached) as Sums, sums };
}
