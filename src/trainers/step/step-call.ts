import type * as tf from "@tensorflow/tfjs-core";
import { type LanguageModel, SequenceModel } from "../../models/index.js";
import { identityOf, type RecordedCall } from "../../tensors/index.js";
import type { ScoreSource } from "../../teachers/index.js";
import { type StepValues, tensorsOf } from "./given-values.js";
import { rowLossesOf } from "./hidden-losses.js";
import type { MicroBatch } from "./micro-batch.js";
import type { TermPlan } from "./term-plan.js";
import type { Projections } from "./projections.js";

/**
 * A step's gradients as a call that a backend may repeat; undefined where they are more than a function of tensors: of models,
 * teachers or losses with a state that do not say what they read.
 */
export function stepCall(
  student: LanguageModel | SequenceModel,
  plans: readonly TermPlan[],
  microBatches: readonly MicroBatch[],
  values: StepValues,
  context: { readonly largestLogitsBytes?: number; readonly projections?: Projections },
  variables: ReadonlyMap<string, tf.Variable>,
): RecordedCall | undefined {
  const weights = student.weights?.();
  const isKnown = ({ state, numbers }: TermPlan) => state === undefined || numbers !== undefined;
  if (weights === undefined || !plans.every(isKnown)) return undefined;
  const sources = microBatches.map(sourcesOf);
  if (sources.includes(undefined)) return undefined;
  const known = sources as ScoreSource[][];
  const { largestLogitsBytes, projections } = context;
  const terms = plans.map(({ term, numbers = {} }) => {
    const { definition, config, layers, against } = term;
    const ends = Object.values(numbers).map((value) => (value === 0 || value === 1 ? value : ""));
    return [identityOf(definition), identityOf(config as object), layers, against, ends];
  });
  const asked = plans.map(({ term }) => term);
  const isFromHidden = microBatches.map(
    (microBatch) =>
      !(student instanceof SequenceModel) &&
      rowLossesOf(student, asked, microBatch, largestLogitsBytes) !== undefined,
  );
  const key = JSON.stringify([
    terms,
    isFromHidden,
    microBatches.map(({ batch, isPairs, written, teacher }) => [
      ...[batch.isPacked, isPairs, written !== undefined],
      [...new Set(teacher?.routes)],
    ]),
    known.map((list) => list.map(({ by, how }) => [identityOf(by), how])),
    projections ? identityOf(projections) : 0,
    [...variables.keys()],
  ]);
  const given = microBatches.flatMap(({ batch }, i) =>
    tensorsOf(batch, values.parts[i] as StepValues["parts"][number]),
  );
  const reads = [
    ...[...given, ...weights, ...variables.values()],
    ...known.flatMap((list) => list.flatMap((source) => source.reads)),
  ];
  return { owner: student, name: "gradients", key, reads: [...new Set(reads)] };
}

/** Where what is known of a micro-batch comes from; undefined if something of it does not say so. */
function sourcesOf({ teacher, reference, rollouts }: MicroBatch): ScoreSource[] | undefined {
  const known = [teacher, reference, rollouts].filter((of) => of !== undefined);
  const sources = known.flatMap((of) => of.source?.() ?? []);
  return sources.length === known.length ? sources : undefined;
}
