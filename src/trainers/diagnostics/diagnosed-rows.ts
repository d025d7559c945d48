import { type Batch, learnedPositions } from "../../data/index.js";
import { roundsLengths } from "../../tensors/index.js";

/**
 * Logits looked at per step, at most, unless so few positions would be left. A bound on their
 * number, not on their share, keeps the cost of the diagnostics negligible for every model.
 */
const mostLogits = 2 ** 17;
const fewestRows = 16;
const defaultMostRows = 512;

/**
 * Learned positions to look at in each micro-batch of a step, as indices into its `[B·T]` rows: all
 * of them, or as many as the bound allows, evenly spread, so that means over them estimate the means
 * over all.
 */
export function diagnosedRows(
  batches: readonly Batch[],
  vocabSize: number,
  mostRows = defaultMostRows,
): number[][] {
  const all = batches.map(learnedRows);
  const count = all.reduce((sum, positions) => sum + positions.length, 0);
  const limit = mostDiagnosed(vocabSize, mostRows);
  if (count <= limit) return all;
  const rows: number[][] = [];
  let start = 0;
  for (const positions of all) {
    // The i-th row of the step is the learned position (i + ½) · count / limit of the step.
    const first = Math.ceil((start * limit) / count - 0.5);
    const end = Math.ceil(((start + positions.length) * limit) / count - 0.5);
    const chosen = Array.from({ length: Math.max(0, end - first) }, (_, i) =>
      Math.floor(((first + i + 0.5) * count) / limit),
    );
    rows.push(chosen.map((index) => positions[index - start] as number));
    start += positions.length;
  }
  return rows;
}

function mostDiagnosed(vocabSize: number, mostRows: number): number {
  return Math.min(mostRows, Math.max(fewestRows, Math.floor(mostLogits / vocabSize)));
}

/**
 * The positions of a micro-batch as they are given to the backend. Where it keeps what it made for a size, they are as many for
 * every batch of one shape: −1 stands for those that there are not.
 */
export function paddedRows(
  looked: readonly number[],
  { inputIds }: Batch,
  vocabSize: number,
  mostRows = defaultMostRows,
): readonly number[] {
  if (!roundsLengths()) return looked;
  const count = Math.min(inputIds.size, mostDiagnosed(vocabSize, mostRows));
  return Array.from({ length: count }, (_, i) => looked[i] ?? -1);
}

function learnedRows({ sequences, sequenceLength }: Batch): number[] {
  return sequences.flatMap((sequence) => {
    // Position t is about the id at t + 1.
    const before = sequence.row * sequenceLength + sequence.start - 1;
    return learnedPositions(sequence).map((position) => before + position);
  });
}
