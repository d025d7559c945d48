import { PupilError } from "../errors/index.js";
import { type BootstrapOptions, combineIntervals, type Draw, percentiles } from "./bootstrap.js";
import type { SeedValues } from "./paired-difference.js";
import { mean } from "./summary.js";

/** Differences of means below it are those of rounding. */
const noGap = 1e-9;

/**
 * Share of a gap that an arm recovers, (arm − low) / (high − low): 0 at `low`, 1 at `high`. NaN where there
 * is no gap, and where it goes the other way than `sign` says: a share of a gap that may as well be
 * its opposite is no share. RGR of "Incentivizing Strong Reasoning from Weak Supervision".
 */
export function gapRecovered(arm: number, low: number, high: number, sign?: number): number {
  const gap = high - low;
  if (Math.abs(gap) < noGap || (sign !== undefined && Math.sign(gap) !== sign)) return Number.NaN;
  return (arm - low) / gap;
}

/**
 * Kendall's τ of two measures of the same things: (pairs that both put in the same order − pairs that they
 * put in opposite ones) / pairs; ties count as neither.
 */
export function rankCorrelation(first: readonly number[], second: readonly number[]): number {
  const signs = first.flatMap((a, i) =>
    first.slice(i + 1).map((b, k) => {
      const [c, d] = [second[i] as number, second[i + 1 + k] as number];
      return Math.sign(b - a) * Math.sign(d - c);
    }),
  );
  return mean(signs);
}

/** Kendall's τ of values with their order: 1 where they always grow. */
export function monotonicity(values: readonly number[]): number {
  return rankCorrelation([...values.keys()], values);
}

/** Σ weight · value. */
export function contrast(weights: readonly number[], values: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (values[i] as number), 0);
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Mean height of a curve: the area under straight lines between its points over their width; with a
 * single point its height. Points come in order of x.
 */
export function areaUnderCurve(points: readonly Point[]): number {
  const [first, ...others] = points;
  const last = others.at(-1);
  if (first === undefined) return Number.NaN;
  if (last === undefined || last.x === first.x) return first.y;
  const area = others.reduce((sum, { x, y }, i) => {
    const before = points[i] as Point;
    return sum + ((x - before.x) * (y + before.y)) / 2;
  }, 0);
  return area / (last.x - first.x);
}

export interface DerivedEstimate {
  /** The statistic of the means over seeds. */
  readonly value: number;
  /** Ends of the 95 % interval; absent with one seed, or where a resample has no value. */
  readonly low?: number;
  readonly high?: number;
  readonly seeds: number;
}

/**
 * A statistic of several columns of values, with the interval that `pairedDifference` has: seeds are drawn
 * for all columns at once, problems for all columns that have as many.
 *
 * @param columns values by seed and in a seed by problem; the same seeds in the same order
 * @param statistic of the mean of each column in a resample, and of what was observed
 * @throws PupilError if columns have other seeds
 */
export function derivedEstimate(
  columns: readonly SeedValues[],
  statistic: (means: readonly number[], observed: readonly number[]) => number,
  options: BootstrapOptions,
): DerivedEstimate {
  const seeds = columns[0]?.length ?? 0;
  if (seeds === 0 || columns.some(({ length }) => length !== seeds)) {
    throw new PupilError(
      `The columns have no common seeds: ${columns.map(({ length }) => length).join(", ") || "none"}.`,
      { field: "derivedEstimate", remedy: "Give every column the values of the same seeds." },
    );
  }
  const perSeed = columns.map((column) => column.map(mean));
  const observed = perSeed.map(mean);
  const value = statistic(observed, observed);
  if (seeds < 2 || !Number.isFinite(value)) return { value, seeds };
  const overSeeds = percentiles(options, "seeds", (draw) => {
    const drawn = draw(seeds);
    const means = perSeed.map((values) => mean(drawn.map((s) => values[s] as number)));
    return statistic(means, observed);
  });
  const overProblems = percentiles(options, "problems", (draw) =>
    statistic(meansOverProblems(columns, draw), observed),
  );
  const { low, high } = combineIntervals(value, seeds, overSeeds, overProblems);
  return Number.isFinite(low) && Number.isFinite(high)
    ? { value, low, high, seeds }
    : { value, seeds };
}

/** Of each column the mean over its seeds of the mean over problems that are drawn anew in every seed. */
function meansOverProblems(columns: readonly SeedValues[], draw: Draw): number[] {
  const sums = columns.map(() => 0);
  const seeds = columns[0]?.length ?? 0;
  for (let s = 0; s < seeds; s++) {
    const drawn = new Map<number, number[]>();
    for (const [c, column] of columns.entries()) {
      const values = column[s] as readonly number[];
      const indices = drawn.get(values.length) ?? draw(values.length);
      drawn.set(values.length, indices);
      sums[c] = (sums[c] as number) + mean(indices.map((i) => values[i] as number));
    }
  }
  return sums.map((sum) => sum / seeds);
}
