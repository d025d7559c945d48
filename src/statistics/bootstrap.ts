import type { Random } from "../tensors/index.js";
import { quantile } from "./summary.js";
import { normalQuantile975, studentQuantile975 } from "./student-t.js";

export interface BootstrapOptions {
  readonly random: Random;
  /** Bootstrap samples. Default: 10,000. */
  readonly resamples?: number;
}

/** Draws `count` of `count` indices with replacement. */
export type Draw = (count: number) => number[];

/** The 2.5 % and 97.5 % percentiles of a statistic of resamples. */
export function percentiles(
  { random, resamples = 10_000 }: BootstrapOptions,
  purpose: string,
  statistic: (draw: Draw) => number,
): readonly [number, number] {
  const values = Float64Array.from({ length: resamples }, (_, i) => {
    const stream = random.stream("bootstrap", purpose, i);
    return statistic((count) => Array.from({ length: count }, () => stream.integer(count)));
  });
  values.sort();
  return [quantile(values, 0.025), quantile(values, 0.975)];
}

/**
 * The 95 % interval about an estimate from the percentiles over seeds, stretched for their number by
 * √(n/(n−1)) · t₀.₉₇₅(n−1) / z₀.₉₇₅ (Hesterberg 2015, section 4.5), and those over problems; the distances
 * are added as squares.
 */
export function combineIntervals(
  estimate: number,
  seeds: number,
  overSeeds: readonly [number, number],
  overProblems: readonly [number, number],
): { readonly low: number; readonly high: number } {
  const stretch =
    (Math.sqrt(seeds / (seeds - 1)) * studentQuantile975(seeds - 1)) / normalQuantile975;
  const distance = (end: 0 | 1) =>
    Math.hypot(stretch * (overSeeds[end] - estimate), overProblems[end] - estimate);
  return { low: estimate - distance(0), high: estimate + distance(1) };
}
