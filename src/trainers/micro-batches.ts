import { type Batch, makeBatch, type TokenSequence } from "../data/index.js";
import { PupilError } from "../errors/index.js";

/** The rows of a step as batches, the student's own rows first; owns the batches. */
export interface StepBatches extends Disposable {
  readonly parts: readonly {
    readonly batch: Batch;
    /** Index in the step of the batch's first row. */
    readonly firstRow: number;
    readonly onPolicyRows: number;
  }[];
  readonly tokens: number;
}

/** Splits a step's rows into `parts` batches of nearly equal size. */
export function splitIntoBatches(
  onPolicy: readonly TokenSequence[],
  offPolicy: readonly TokenSequence[],
  parts: number,
  padId: number,
): StepBatches {
  const rows = [...onPolicy, ...offPolicy];
  if (rows.length < parts) {
    throw new PupilError(
      `${parts} micro-batches need at least ${parts} rows, got ${rows.length}.`,
      {
        field: "trainer.gradientAccumulationSteps",
        value: parts,
        remedy: "Raise trainer.batchSize or lower trainer.gradientAccumulationSteps.",
      },
    );
  }
  const batches = Array.from({ length: parts }, (_, part) => {
    const start = Math.floor((part * rows.length) / parts);
    const end = Math.floor(((part + 1) * rows.length) / parts);
    return {
      batch: makeBatch(rows.slice(start, end), padId),
      firstRow: start,
      onPolicyRows: Math.min(Math.max(0, onPolicy.length - start), end - start),
    };
  });
  return {
    parts: batches,
    tokens: batches.reduce((sum, { batch }) => sum + batch.numTokens, 0),
    [Symbol.dispose]: () => {
      for (const { batch } of batches) batch.dispose();
    },
  };
}
