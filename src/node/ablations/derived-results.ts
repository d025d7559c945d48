import type { DerivedMeasure } from "../../config/index.js";
import {
  contrast,
  type DerivedEstimate,
  derivedEstimate,
  gapRecovered,
  monotonicity,
  rankCorrelation,
  type SeedValues,
} from "../../statistics/index.js";
import { Random } from "../../tensors/index.js";
import { valuesOf } from "./cell-values.js";
import type { CellResult } from "./cell-results.js";

interface Column {
  readonly arm: string;
  readonly metric: string;
}

/** A derived measure as a statistic of the means of some arms' measures. */
export function statisticOf(measure: DerivedMeasure): {
  readonly columns: readonly Column[];
  readonly statistic: (means: readonly number[], observed: readonly number[]) => number;
} {
  switch (measure.type) {
    case "gap-recovered": {
      const { metric } = measure;
      const arms = [measure.arm, measure.low, measure.high];
      return {
        columns: arms.map((arm) => ({ arm, metric })),
        // Resamples in which the gap goes the other way have no share of it: then there is no interval.
        statistic: (means, [, low = 0, high = 0]) =>
          gapRecovered(...(means as [number, number, number]), Math.sign(high - low)),
      };
    }
    case "contrast": {
      const weights = measure.terms.map(({ weight }) => weight);
      return { columns: measure.terms, statistic: (means) => contrast(weights, means) };
    }
    case "monotonicity":
      return { columns: measure.points, statistic: monotonicity };
    case "rank-correlation": {
      const count = measure.points.length;
      return {
        columns: [...measure.points, ...measure.with],
        statistic: (means) => rankCorrelation(means.slice(0, count), means.slice(count)),
      };
    }
    case "area-under-curve":
      return { columns: [], statistic: () => Number.NaN };
  }
}

/**
 * A derived measure over the seeds that all of its arms have finished; undefined where there is none, or
 * where an arm lacks the measure.
 */
export function derivedResult(
  name: string,
  measure: DerivedMeasure,
  cells: readonly CellResult[],
): DerivedEstimate | undefined {
  const { columns, statistic } = statisticOf(measure);
  const ofColumn = ({ arm, metric }: Column) =>
    cells.filter((cell) => cell.arm === arm && metric in cell.metrics);
  const [first, ...others] = columns.map(ofColumn);
  const seeds = (first ?? [])
    .map(({ seed }) => seed)
    .filter((seed) => others.every((list) => list.some((cell) => cell.seed === seed)));
  if (seeds.length === 0) return undefined;
  const values = columns.map(
    (column): SeedValues =>
      seeds.map((seed) =>
        valuesOf(ofColumn(column).find((cell) => cell.seed === seed) as CellResult, column.metric),
      ),
  );
  const random = new Random(0).stream("ablation", "derived", name);
  return derivedEstimate(values, statistic, { random });
}
