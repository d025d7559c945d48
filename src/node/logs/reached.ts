import { betterDirection, type EvaluationRow } from "../../trainers/index.js";

/** What a measure was at the first and the last evaluation, and where it was best. */
export interface Reached {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Of the earliest of equal ones; absent where no direction is better, or no value is finite. */
  readonly best?: { readonly value: number; readonly step: number };
}

/** The measures of a run's evaluations, in the order in which they appear. */
export function reachedIn(
  evaluations: readonly Pick<EvaluationRow, "step" | "values">[],
): Reached[] {
  const names = [...new Set(evaluations.flatMap(({ values }) => Object.keys(values)))];
  return names.map((name) => {
    const points = evaluations.flatMap(({ step, values }) => {
      const value = values[name];
      return value === undefined ? [] : [{ value, step }];
    });
    const [first, last] = [points[0]?.value as number, points.at(-1)?.value as number];
    const direction = betterDirection(name);
    const finite = points.filter(({ value }) => Number.isFinite(value));
    if (direction === undefined || finite.length === 0) return { name, first, last };
    const sign = direction === "higher" ? 1 : -1;
    const best = finite.reduce((found, point) =>
      sign * point.value > sign * found.value ? point : found,
    );
    return { name, first, last, best };
  });
}
