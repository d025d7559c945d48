import { type ExactLanguage, normalizeLogProbs } from "./exact-language.js";

export interface BimodalOptions {
  readonly vocabSize: number;
  /** Steps on the ring of ids from the previous id to the centre of each mode. */
  readonly offsets: readonly [number, number];
  /** Probability of the first mode. */
  readonly weight: number;
  /** Standard deviation of a mode, in ids. */
  readonly width: number;
}

/**
 * Two planted modes. The ids are a ring, and the next id lies near one of two places at fixed
 * distances from the previous one (0 before the first):
 *
 *     P(v | u) = w G(v − u − a) + (1 − w) G(v − u − b),   G(d) ∝ exp(−d² / 2σ²), d on the ring
 *
 * A student that can bend its logits at will learns both modes under any loss. One that cannot, such
 * as a decoder with 2 hidden units, whose logits are linear in 2 numbers and so have a single hill
 * when the ids lie on a circle, must choose: the forward KL covers (a broad hill that holds both
 * modes and the gap between them), the reverse KL seeks (a narrow hill on one of them).
 * {@link modeMasses} shows which it did.
 */
export function bimodalLanguage(options: BimodalOptions): ExactLanguage<number> {
  const { vocabSize, offsets, weight, width } = options;
  const [first, second] = offsets.map((offset) => {
    const bump = Float64Array.from({ length: vocabSize }, (_, id) => {
      return -(ringDistance(id, offset, vocabSize) ** 2) / (2 * width ** 2);
    });
    return normalizeLogProbs(bump).map(Math.exp);
  }) as [Float64Array, Float64Array];
  const relative = first.map((p, id) => {
    return Math.log(weight * p + (1 - weight) * (second[id] as number));
  });
  return {
    vocabSize,
    start: 0,
    advance: (_previous, id) => id,
    logProbs: (previous) =>
      relative.map((_, id) => relative[(id - previous + vocabSize) % vocabSize] as number),
  };
}

/** Where the probability of one position lies. */
export interface ModeMasses {
  readonly first: number;
  readonly second: number;
  /** Everywhere else. */
  readonly outside: number;
}

/**
 * How much of a distribution lies within `reach` ids of each mode after `previous`.
 *
 * @param logProbs `[V]`, of a student or of the teacher itself
 */
export function modeMasses(
  logProbs: ArrayLike<number>,
  previous: number,
  { vocabSize, offsets }: Pick<BimodalOptions, "vocabSize" | "offsets">,
  reach: number,
): ModeMasses {
  const masses = [0, 0, 0];
  for (let id = 0; id < vocabSize; id++) {
    const near = offsets.findIndex(
      (offset) => ringDistance(id, previous + offset, vocabSize) <= reach,
    );
    const mode = near === -1 ? 2 : near;
    masses[mode] = (masses[mode] as number) + Math.exp(logProbs[id] as number);
  }
  const [first = 0, second = 0, outside = 0] = masses;
  return { first, second, outside };
}

function ringDistance(a: number, b: number, size: number): number {
  const steps = (((a - b) % size) + size) % size;
  return Math.min(steps, size - steps);
}
