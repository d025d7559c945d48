/**
 * A distribution over token sequences whose next-token probabilities are known exactly, in float64
 * on the host, as a machine that reads one token after the other. The states are values: `advance`
 * changes none, so one prefix can be continued in many ways.
 */
export interface ExactLanguage<S = unknown> {
  readonly vocabSize: number;
  /** Before any token. */
  readonly start: S;
  advance(state: S, id: number): S;
  /** `[V]`, natural logarithms whose exponentials sum to 1; −Infinity for the impossible. */
  logProbs(state: S): Float64Array;
}

/** The state after a prefix. */
export function stateAfter<S>(language: ExactLanguage<S>, ids: readonly number[]): S {
  return ids.reduce((state, id) => language.advance(state, id), language.start);
}

/** Exact log-probability of every id of a row but its first, given the ids before it. */
export function sequenceLogProbs<S>(language: ExactLanguage<S>, ids: readonly number[]): number[] {
  let state = language.start;
  return ids.flatMap((id, position) => {
    const logProb = position === 0 ? [] : [language.logProbs(state)[id] as number];
    state = language.advance(state, id);
    return logProb;
  });
}

/** log Σ exp of numbers, without overflow; −Infinity where all are. */
export function logSumExp(values: ArrayLike<number>): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) top = Math.max(top, values[i] as number);
  if (top === Number.NEGATIVE_INFINITY) return top;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] as number) - top);
  return top + Math.log(sum);
}

/** Subtracts the log-sum-exp, in place: unnormalized log-weights to log-probabilities. */
export function normalizeLogProbs(values: Float64Array): Float64Array {
  const total = logSumExp(values);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - total;
  return values;
}
