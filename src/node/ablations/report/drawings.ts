import type { CellResult } from "../cell-results.js";
import type { AblationPlan } from "../planned.js";
import type { AblationResults } from "../results.js";
import { armValues, type Drawing, gainAgainstCost, learningCurve, pngOf } from "./plots.js";

/** Of each measure the arms and its curve, then the cost of the first; claimed ones come first. */
export function drawingsOf(
  plan: AblationPlan,
  results: AblationResults,
  cells: readonly CellResult[],
): Drawing[] {
  const arms = plan.arms.map(({ name }) => name);
  const known = new Set(Object.values(results.arms).flatMap((found) => Object.keys(found)));
  const claimed =
    plan.claim?.comparisons.flatMap((part) => ("derived" in part ? [] : part.metric)) ?? [];
  const ordered = [...new Set([...claimed, ...known])].filter((metric) => known.has(metric));
  const [first] = ordered;
  return [
    ...ordered.flatMap((metric) => [
      armValues(metric, results),
      learningCurve(metric, cells, arms),
    ]),
    // Behind the pairs, so that a measure and its curve stand side by side.
    first === undefined ? undefined : gainAgainstCost(first, cells, arms),
  ].filter((drawing) => drawing !== undefined);
}

/** The drawings as files of a report's folder, each as SVG and as PNG. */
export function drawingFiles(drawings: readonly Drawing[]): [string, string | Uint8Array][] {
  return drawings.flatMap((drawing) => [
    [`plots/${drawing.name}.svg`, drawing.svg],
    [`plots/${drawing.name}.png`, pngOf(drawing)],
  ]);
}
