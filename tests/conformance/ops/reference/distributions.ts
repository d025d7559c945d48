import { at, dropLastAxis, mapRows, type NdArray } from "./array.js";

/** Log-probabilities of logits at a temperature. */
export function logSoftmax(logits: ArrayLike<number>, temperature = 1): Float64Array {
  const scaled = Float64Array.from(logits, (z) => z / temperature);
  const largest = Math.max(...scaled);
  const total = scaled.reduce((sum, z) => sum + Math.exp(z - largest), 0);
  return scaled.map((z) => z - largest - Math.log(total));
}

export function crossEntropy(logits: NdArray, labels: NdArray, labelSmoothing: number): NdArray {
  const V = logits.shape[logits.shape.length - 1] as number;
  const result = mapRows(logits, 1, (row, i) => {
    const logProbs = logSoftmax(row);
    const label = logProbs[at(labels, i)] as number;
    const mean = logProbs.reduce((a, b) => a + b, 0) / V;
    return [-(1 - labelSmoothing) * label - labelSmoothing * mean];
  });
  return dropLastAxis(result);
}

/** Log-probabilities at every position. */
export function logProbs(logits: NdArray, temperature: number): NdArray {
  const V = logits.shape[logits.shape.length - 1] as number;
  return mapRows(logits, V, (row) => logSoftmax(row, temperature));
}

/** Log-probabilities of ids `[..., K]` at every position of `[..., V]` logits. */
export function selectedLogProbs(logits: NdArray, ids: NdArray, temperature: number): NdArray {
  const K = ids.shape[ids.shape.length - 1] as number;
  return mapRows(logits, K, (row, i) => {
    const all = logSoftmax(row, temperature);
    return Array.from({ length: K }, (_, k) => all[at(ids, i * K + k)] as number);
  });
}

/** Σ p (log p − log q), with 0 · log 0 = 0. */
function kl(logP: Float64Array, logQ: Float64Array): number {
  return logP.reduce((sum, lp, v) => {
    const p = Math.exp(lp);
    return p === 0 ? sum : sum + p * (lp - (logQ[v] as number));
  }, 0);
}

export type Divergence = (logStudent: Float64Array, logTeacher: Float64Array) => number;

export const forwardKl: Divergence = (logStudent, logTeacher) => kl(logTeacher, logStudent);
export const reverseKl: Divergence = (logStudent, logTeacher) => kl(logStudent, logTeacher);

/** β KL(T ‖ M) + (1 − β) KL(S ‖ M), M = βT + (1 − β)S. */
export function generalizedJsd(beta: number, normalized: boolean): Divergence {
  return (logStudent, logTeacher) => {
    const logMixture = logStudent.map((ls, v) => {
      const [a, b] = [Math.log(beta) + (logTeacher[v] as number), Math.log(1 - beta) + ls];
      const largest = Math.max(a, b);
      return largest + Math.log(Math.exp(a - largest) + Math.exp(b - largest));
    });
    const value = beta * kl(logTeacher, logMixture) + (1 - beta) * kl(logStudent, logMixture);
    return normalized ? value / (beta * (1 - beta)) : value;
  };
}

/** A divergence at every position of `[..., V]` logits. */
export function perToken(
  divergence: Divergence,
  studentLogits: NdArray,
  teacherLogits: NdArray,
  temperature: number,
): NdArray {
  const V = studentLogits.shape[studentLogits.shape.length - 1] as number;
  const result = mapRows(studentLogits, 1, (row, i) => {
    const teacherRow = teacherLogits.data.subarray(i * V, (i + 1) * V);
    return [divergence(logSoftmax(row, temperature), logSoftmax(teacherRow, temperature))];
  });
  return dropLastAxis(result);
}
