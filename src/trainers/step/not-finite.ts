import * as tf from "@tensorflow/tfjs-core";
import type { PlacedSequence, Tokenizer } from "../../data/index.js";
import { NotFiniteError } from "../../errors/index.js";
import { evaluateTerm, termLabels } from "../../losses/index.js";
import { type LanguageModel, SequenceModel } from "../../models/index.js";
import { countedFactors, countedWeights } from "./counted-rows.js";
import type { MicroBatch } from "./micro-batch.js";
import type { TermPlan } from "./term-plan.js";
import { rowInputs } from "./row-inputs.js";
import { describePredictions, readPredictions } from "./ruled-out-tokens.js";

/** What makes a divergence of finite parameters infinite. */
const ruledOut =
  "A divergence is infinite by its definition where one model rules out a token (a logit of −Infinity: a masked vocabulary) that the other does not. Mask the same tokens in both, or use forward-kl where the teacher alone has a mask, or a bounded loss (generalized-jsd, skew-kl). Without a mask: a lower learningRate or a maxGradNorm.";

/** A step that failed, as it was computed. */
export interface FailedStep {
  readonly student: LanguageModel | SequenceModel;
  readonly plans: readonly TermPlan[];
  readonly microBatches: readonly MicroBatch[];
  /** Means, in the order of the plans. */
  readonly means: readonly number[];
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  /** For the texts of tokens. */
  readonly tokenizer?: Partial<Pick<Tokenizer, "decode">> | undefined;
}

/** The error of a step whose loss or gradient is not finite: which terms, which tensor, which token. */
export async function notFinite(step: FailedStep): Promise<NotFiniteError> {
  const { plans, means, gradients } = step;
  const labels = termLabels(plans.map(({ term }) => term));
  const badTerms = [...means.keys()].filter((i) => !Number.isFinite(means[i]));
  const badTensors: string[] = [];
  for (const [name, gradient] of gradients) {
    if ((await gradient.data()).some((value) => !Number.isFinite(value))) badTensors.push(name);
  }
  const what = badTerms.map((i) => `term ${labels[i]} is ${means[i]}`);
  if (badTensors.length > 0) {
    const rest = badTensors.length > 1 ? ` and ${badTensors.length - 1} more` : "";
    what.push(`the gradient of ${badTensors[0]}${rest} is not finite`);
  }
  const [firstTerm] = badTerms;
  const place = firstTerm === undefined ? "" : await describePlace(step, firstTerm);
  const isInfinite = badTerms.some((i) => means[i] === Infinity);
  const remedy = isInfinite ? ruledOut : "Try a lower learningRate or a maxGradNorm.";
  return new NotFiniteError(`The loss is not finite: ${what.join("; ")}.${place}`, {
    remedy: `The parameters were not updated. ${remedy}`,
  });
}

/** Where a term is first not finite, and what both models say there; empty if its values do not tell. */
async function describePlace(step: FailedStep, term: number): Promise<string> {
  const { student, plans, microBatches, tokenizer } = step;
  const plan = plans[term] as TermPlan;
  if (student instanceof SequenceModel || plan.term.definition.per !== "token") return "";
  let firstRow = 0;
  for (const [index, microBatch] of microBatches.entries()) {
    const { batch, onPolicyRows } = microBatch;
    const values = tf.tidy(() => countedValues(student, plan, microBatch, index));
    const found = (await values?.data())?.findIndex((value) => !Number.isFinite(value)) ?? -1;
    values?.dispose();
    const T = batch.sequenceLength;
    const [row, t] = [Math.floor(found / T), found % T];
    const at = batch.sequences.findIndex((sequence) => isIn(sequence, row, t));
    if (at >= 0) {
      const { ids, start } = batch.sequences[at] as PlacedSequence;
      const position = t - start + 1;
      const said = await readPredictions(student, microBatch, row, t);
      const show = (id: number) => showToken(id, tokenizer);
      const writer = at < onPolicyRows ? ", which the student wrote" : "";
      const facts = describePredictions(said, ids[position] as number, show);
      return ` First at row ${firstRow + at + 1} of the step${writer}, token ${position + 1} (${show(ids[position] as number)})${facts}.`;
    }
    firstRow += batch.sequences.length;
  }
  return "";
}

function isIn({ ids, row, start }: PlacedSequence, ofRow: number, position: number): boolean {
  return row === ofRow && position >= start && position < start + ids.length - 1;
}

/** Values `[B, T]`, 0 where they do not count; undefined of a term that compares layers or pairs. */
function countedValues(
  student: LanguageModel,
  { term, rows, state }: TermPlan,
  microBatch: MicroBatch,
  index: number,
): tf.Tensor2D | undefined {
  const { batch, isPairs } = microBatch;
  const inputsOf = rowInputs(student, microBatch);
  const has = (inputs: object) => term.definition.needs.every((need) => need in inputs);
  if (isPairs === true || !has(inputsOf(0))) return undefined;
  const values = Array.from({ length: batch.size }, (_, row) =>
    tf.tidy(() => evaluateTerm(term, inputsOf(row), state) as tf.Tensor2D),
  );
  const weights = countedWeights(countedFactors(rows, index, batch, "token"), batch, "token");
  return tf.where(weights.notEqual(0), tf.concat(values, 0), 0) as tf.Tensor2D;
}

function showToken(id: number, tokenizer: FailedStep["tokenizer"]): string {
  const text = tokenizer?.decode?.([id]) ?? "";
  return text === "" ? `id ${id}` : `id ${id} ${JSON.stringify(text)}`;
}
