import type { CellResult } from "./cell-results.js";

/** A measure of a run by held-out problem where it is known of each, else as one value. */
export function valuesOf(
  { problems, metrics }: Pick<CellResult, "problems" | "metrics">,
  metric: string,
): readonly number[] {
  return problems[metric] ?? [metrics[metric] as number];
}
