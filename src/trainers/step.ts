import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import { evaluateTerm, type LossTerm, maskedSum, termLabels } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { globalNorm } from "../ops/index.js";
import { type AdamW, clipScale } from "../optim/index.js";
import type { TeacherScores } from "../teachers/index.js";
import { disposeAll, keepTensor, readScalars, variableGradients } from "../tensors/index.js";

/** The rows of one forward and backward pass. */
export interface MicroBatch {
  readonly batch: Batch;
  readonly teacher?: TeacherScores;
  /** The first rows of the batch that the student wrote itself: their tokens are no ground truth. */
  readonly onPolicyRows: number;
}

/** Gradients of one optimizer step with what is known about them. Owns its tensors. */
export interface StepGradients extends Disposable {
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  readonly norm: tf.Scalar;
  /** Weighted total, and each term unweighted, as means over their tokens. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly gradNorm: number;
  dispose(): void;
}

/**
 * Loss and gradient of one optimizer step over any number of micro-batches.
 *
 * Each term is Σ mask·value over all micro-batches, divided once by the number of its tokens in the
 * whole step: how the rows are split into micro-batches cannot change the result. Terms that read
 * labels count only rows whose tokens are ground truth.
 *
 * One device read per step. Throws a PupilError naming term and tensor if a value is not finite;
 * no parameter has been touched by then.
 */
export async function computeGradients(
  student: LanguageModel,
  terms: readonly LossTerm[],
  microBatches: readonly MicroBatch[],
): Promise<StepGradients> {
  const counts = terms.map((term) => tokensOf(term, microBatches));
  const step = accumulate(student, terms, counts, microBatches);
  try {
    const { gradNorm, ...sums } = await readScalars(step.scalars);
    const means = terms.map((_, i) => (sums[`term${i}`] as number) / Math.max(1, counts[i] ?? 0));
    const loss = terms.reduce((total, term, i) => total + term.weight * (means[i] as number), 0);
    const named = Object.fromEntries(termLabels(terms).map((label, i) => [label, means[i]]));
    const result = { loss, terms: named as Record<string, number>, gradNorm: gradNorm as number };
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

interface Accumulated {
  readonly gradients: Map<string, tf.Tensor>;
  readonly norm: tf.Scalar;
  readonly scalars: Record<string, tf.Tensor>;
}

function accumulate(
  student: LanguageModel,
  terms: readonly LossTerm[],
  counts: readonly number[],
  microBatches: readonly MicroBatch[],
): Accumulated {
  const names = [...student.parameters.keys()].filter((n) => student.parameters.get(n)?.trainable);
  const variables = names.map((name) => student.parameters.get(name) as tf.Variable);
  let gradients: tf.Tensor[] = [];
  let sums: tf.Tensor[] = [];
  for (const microBatch of microBatches) {
    const added = tf.tidy(() => microBatchGradients(student, variables, terms, counts, microBatch));
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

function microBatchGradients(
  student: LanguageModel,
  variables: readonly tf.Variable[],
  terms: readonly LossTerm[],
  counts: readonly number[],
  { batch, teacher, onPolicyRows }: MicroBatch,
): { gradients: tf.Tensor[]; sums: tf.Tensor[] } {
  const { labels, completionMask } = batch;
  const dataMask = maskRows(completionMask, onPolicyRows);
  const teacherTensors = teacher?.tensors() ?? {};
  const sums: tf.Tensor[] = [];
  const { value, gradients } = variableGradients(() => {
    const studentLogits = student.forward(batch);
    const weighted = terms.map((term, i) => {
      const values = evaluateTerm(term, { studentLogits, labels, ...teacherTensors });
      const sum = maskedSum(values, readsLabels(term) ? dataMask : completionMask);
      sums.push(keepTensor(sum.clone()));
      return sum.mul(term.weight / Math.max(1, counts[i] ?? 0));
    });
    return tf.addN(weighted).asScalar();
  }, variables);
  value.dispose();
  return { gradients, sums };
}

/** The mask with the first rows set to 0. */
function maskRows(mask: tf.Tensor2D, rows: number): tf.Tensor2D {
  if (rows === 0) return mask;
  const size = mask.shape[0];
  const keep = Float32Array.from({ length: size }, (_, row) => (row < rows ? 0 : 1));
  return mask.mul(tf.tensor2d(keep, [size, 1]));
}

function readsLabels(term: LossTerm): boolean {
  return term.definition.needs.includes("labels");
}

/** Number of tokens that a term averages over in the whole optimizer step. */
function tokensOf(term: LossTerm, microBatches: readonly MicroBatch[]): number {
  const perBatch = microBatches.map(({ batch, onPolicyRows }) =>
    readsLabels(term) ? batch.tokensPerRow.slice(onPolicyRows) : batch.tokensPerRow,
  );
  return perBatch.flat().reduce((sum, tokens) => sum + tokens, 0);
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
