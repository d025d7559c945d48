import type { Random } from "../../tensors/index.js";

/** Log-probabilities of both models at some positions, on the host, `[N, V]` each. */
export interface SupportPositions {
  readonly count: number;
  readonly vocabSize: number;
  readonly studentLogits: Float32Array;
  readonly studentLogProbs: Float64Array;
  readonly teacherLogProbs: Float64Array;
}

/** Tokens at every position, `[N, K]`, and how often each was to be expected in its list. */
export interface ChosenTokens {
  readonly K: number;
  readonly ids: Int32Array;
  readonly expectedCounts: Float32Array;
}

export function supportPositions(
  studentLogits: Float32Array,
  teacherLogits: Float32Array,
  vocabSize: number,
): SupportPositions {
  return {
    ...{ count: studentLogits.length / vocabSize, vocabSize, studentLogits },
    studentLogProbs: logSoftmaxRows(studentLogits, vocabSize),
    teacherLogProbs: logSoftmaxRows(teacherLogits, vocabSize),
  };
}

function logSoftmaxRows(logits: Float32Array, V: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += V) {
    const row = logits.subarray(start, start + V);
    const highest = row.reduce((most, x) => Math.max(most, x), -Infinity);
    const total = row.reduce((sum, x) => sum + Math.exp(x - highest), 0);
    for (const [i, x] of row.entries()) result[start + i] = x - highest - Math.log(total);
  }
  return result;
}

/** The likeliest `k` tokens of a model at every position, each listed once. */
export function likeliestTokens(
  { count, vocabSize: V }: SupportPositions,
  logProbs: Float64Array,
  k: number,
): ChosenTokens {
  const K = Math.min(k, V);
  const ids = new Int32Array(count * K);
  for (let n = 0; n < count; n++) {
    const row = logProbs.subarray(n * V, (n + 1) * V);
    const order = Int32Array.from({ length: V }, (_, i) => i);
    order.sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
    ids.set(order.subarray(0, K), n * K);
  }
  return { K, ids, expectedCounts: new Float32Array(ids.length).fill(1) };
}

/** `k` independent draws from a model at every position. */
export function drawnTokens(
  { count, vocabSize: V }: SupportPositions,
  logProbs: Float64Array,
  k: number,
  random: Random,
): ChosenTokens {
  const ids = new Int32Array(count * k);
  const expectedCounts = new Float32Array(ids.length);
  for (let n = 0; n < count; n++) {
    const row = logProbs.subarray(n * V, (n + 1) * V);
    for (let i = 0; i < k; i++) {
      const id = drawFrom(row, random.uniform(), 0) as number;
      ids[n * k + i] = id;
      expectedCounts[n * k + i] = k * Math.exp(row[id] as number);
    }
  }
  return { K: k, ids, expectedCounts };
}

/** The student's likeliest `k` and one draw from what is left of its distribution. */
export function likeliestAndTail(
  positions: SupportPositions,
  k: number,
  random: Random,
): ChosenTokens {
  const { count, vocabSize: V, studentLogProbs } = positions;
  const top = likeliestTokens(positions, studentLogProbs, k);
  if (top.K === V) return top;
  const K = top.K + 1;
  const ids = new Int32Array(count * K);
  const expectedCounts = new Float32Array(ids.length).fill(1);
  for (let n = 0; n < count; n++) {
    const own = top.ids.subarray(n * top.K, (n + 1) * top.K);
    const rest = studentLogProbs.slice(n * V, (n + 1) * V);
    for (const id of own) rest[id] = -Infinity;
    const mass = rest.reduce((sum, logProb) => sum + Math.exp(logProb), 0);
    const id = drawFrom(rest, random.uniform() * mass, own[0] as number);
    ids.set(own, n * K);
    ids[n * K + top.K] = id;
    // Where float64 has nothing left to draw from, the token counts as if it could not come.
    const share = mass > 0 ? Math.exp(rest[id] as number) / mass : 0;
    expectedCounts[n * K + top.K] = share > 0 ? share : Infinity;
  }
  return { K, ids, expectedCounts };
}

/** The token at which the cumulative probability passes `threshold`; the last that has any, if none. */
function drawFrom(logProbs: Float64Array, threshold: number, fallback: number): number {
  let sum = 0;
  let last = fallback;
  for (const [id, logProb] of logProbs.entries()) {
    if (logProb === -Infinity) continue;
    sum += Math.exp(logProb);
    last = id;
    if (sum > threshold) return id;
  }
  return last;
}
