import {
  type Batch,
  makeBatch,
  makePackedBatch,
  type PackedBatchOptions,
  roundedLength,
  type TokenSequence,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { contextLength, type LanguageModel } from "../../models/index.js";
import type { Teacher } from "../../teachers/index.js";
import { bucketedRows, bucketStep, roundsLengths } from "../../tensors/index.js";

/** The sequences of a step as batches, the student's own first; owns the batches. */
export interface StepBatches extends Disposable {
  readonly parts: readonly {
    readonly batch: Batch;
    /** Index in the step of the batch's first sequence. */
    readonly firstRow: number;
    /** How many of its first sequences the student wrote. */
    readonly onPolicyRows: number;
  }[];
  readonly tokens: number;
  /** Share of the batches' positions that hold padding. */
  readonly paddingShare: number;
}

/**
 * The shape of packed rows, where the backend keeps what it made for one. They are at most twice as long as the longest sequence
 * and have positions of their own; their number is rounded up, too: those beyond the ones that are needed hold padding.
 */
function packedShape(rows: readonly TokenSequence[]): PackedBatchOptions {
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length - 1), 1);
  return roundsLengths()
    ? { padToMultipleOf: bucketStep(2 * longest), roundRows: bucketedRows }
    : {};
}

/** The shortest of the contexts of those that read the rows of a step. */
export function fewestPositions(
  student: LanguageModel,
  ...teachers: readonly (Pick<Teacher, "maxPositions"> | undefined)[]
): number {
  const ofTeachers = teachers.map((teacher) => teacher?.maxPositions ?? Infinity);
  return Math.min(contextLength(student.config), ...ofTeachers);
}

export interface SplitOptions {
  /** Several sequences in a row. Default: false. */
  readonly packing?: boolean | undefined;
  /** Positions that student and teacher have: no row is padded beyond them. Default: no row is padded beyond the longest. */
  readonly mostPositions?: number | undefined;
}

/**
 * Splits a step's sequences into `parts` batches of nearly equal size: one sequence per row, or with
 * `packing` as many as fit into rows up to twice as long as the longest.
 *
 * Where the backend rounds lengths up ({@link bucketedLength}) and `mostPositions` is given, all batches of a step have one
 * length, but for packed ones, of which the rows are rounded up, too.
 */
export function splitIntoBatches(
  onPolicy: readonly TokenSequence[],
  offPolicy: readonly TokenSequence[],
  parts: number,
  padId: number,
  { packing = false, mostPositions }: SplitOptions = {},
): StepBatches {
  const rows = [...onPolicy, ...offPolicy];
  const rounded =
    mostPositions === undefined
      ? {}
      : packing
        ? packedShape(rows)
        : roundedLength(rows, mostPositions);
  const batches = evenParts(rows, parts, "rows").map(({ start, own }) => ({
    batch: (packing ? makePackedBatch : makeBatch)(own, padId, rounded),
    firstRow: start,
    onPolicyRows: Math.min(Math.max(0, onPolicy.length - start), own.length),
  }));
  return stepBatches(batches);
}

/** Refuses more micro-batches than a step has examples; `what` they are, for messages. */
export function requireMicroBatches(length: number, parts: number, what = "rows"): void {
  if (length >= parts) return;
  throw new PupilError(`${parts} micro-batches need at least ${parts} ${what}, got ${length}.`, {
    field: "trainer.gradientAccumulationSteps",
    value: parts,
    remedy: "Raise trainer.batchSize or lower trainer.gradientAccumulationSteps.",
  });
}

/** A step's examples in `parts` runs of nearly equal size, none empty; `what` they are, for messages. */
export function evenParts<T>(
  examples: readonly T[],
  parts: number,
  what: string,
): { start: number; own: readonly T[] }[] {
  const { length } = examples;
  requireMicroBatches(length, parts, what);
  return Array.from({ length: parts }, (_, part) => {
    const start = Math.floor((part * length) / parts);
    return { start, own: examples.slice(start, Math.floor(((part + 1) * length) / parts)) };
  });
}

/** The batches of a step with their totals; takes ownership. */
export function stepBatches(batches: StepBatches["parts"]): StepBatches {
  const total = (count: (batch: Batch) => number) =>
    batches.reduce((sum, { batch }) => sum + count(batch), 0);
  return {
    parts: batches,
    tokens: total((batch) => batch.numTokens),
    paddingShare: 1 - total((b) => b.numPositions) / total((b) => b.inputIds.size),
    [Symbol.dispose]: () => {
      for (const { batch } of batches) batch.dispose();
    },
  };
}
