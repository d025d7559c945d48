import { Random } from "../../tensors/index.js";
import { type ExactLanguage, logSumExp, normalizeLogProbs } from "./exact-language.js";

/** All in natural logarithms; rows sum to 1 in probability. */
export interface HiddenMarkovModel {
  /** `[S]`, of the state that emits the first token. */
  readonly initial: ArrayLike<number>;
  /** `[S][S]`, from the state of a token to that of the next. */
  readonly transitions: readonly ArrayLike<number>[];
  /** `[S][V]`, of the token that a state emits. */
  readonly emissions: readonly ArrayLike<number>[];
}

/**
 * The sequences that a hidden Markov model emits. Their exact next-token distribution comes from the
 * forward algorithm in log space: the state is log P(z_t | x_1 … x_{t−1}) for the hidden state z_t of
 * the next token, so no product of many probabilities ever underflows. Unlike an n-gram, the next
 * token depends on all tokens before it.
 *
 *     P(v | x_<t) = Σ_z b(z) E(z, v),   b'(z') ∝ Σ_z b(z) E(z, x_t) A(z, z')
 *
 * @see Rabiner 1989, equations 19 to 21
 */
export function hiddenMarkovLanguage(model: HiddenMarkovModel): ExactLanguage<Float64Array> {
  const { initial, transitions, emissions } = model;
  const states = initial.length;
  const vocabSize = emissions[0]?.length ?? 0;
  const sum = (terms: (state: number) => number) =>
    logSumExp(Float64Array.from({ length: states }, (_, state) => terms(state)));
  return {
    vocabSize,
    start: Float64Array.from(initial),
    advance: (belief, id) =>
      normalizeLogProbs(
        Float64Array.from({ length: states }, (_, next) =>
          sum(
            (state) =>
              (belief[state] as number) +
              (emissions[state]?.[id] as number) +
              (transitions[state]?.[next] as number),
          ),
        ),
      ),
    logProbs: (belief) =>
      normalizeLogProbs(
        Float64Array.from({ length: vocabSize }, (_, id) =>
          sum((state) => (belief[state] as number) + (emissions[state]?.[id] as number)),
        ),
      ),
  };
}

export interface HiddenMarkovOptions {
  readonly seed: number;
  readonly vocabSize: number;
  readonly states: number;
  /** Standard deviation of the log-weights of transitions: 0 is uniform. */
  readonly transitionSharpness: number;
  /** The same of emissions. */
  readonly emissionSharpness: number;
}

/** A random model, the one of a config's seed: every row is softmax(sharpness · standard normals). */
export function randomHiddenMarkovModel({
  seed,
  vocabSize,
  states,
  transitionSharpness,
  emissionSharpness,
}: HiddenMarkovOptions): HiddenMarkovModel {
  const random = new Random(seed).stream("hidden-markov");
  const row = (size: number, sharpness: number, ...path: (string | number)[]) => {
    const stream = random.stream(...path);
    return normalizeLogProbs(
      Float64Array.from({ length: size }, () => sharpness * stream.normal()),
    );
  };
  const rows = (size: number, sharpness: number, name: string) =>
    Array.from({ length: states }, (_, state) => row(size, sharpness, name, state));
  return {
    initial: row(states, transitionSharpness, "initial"),
    transitions: rows(states, transitionSharpness, "transitions"),
    emissions: rows(vocabSize, emissionSharpness, "emissions"),
  };
}
