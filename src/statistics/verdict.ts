import type { PairedDifference } from "./paired-difference.js";

/** What a paper says of two arms: one has more (or less) of a measure than the other. */
export interface Comparison {
  readonly arm: string;
  readonly baseline: string;
  readonly metric: string;
  readonly direction: "higher" | "lower";
  /** By at least this much. Default: 0, any difference. */
  readonly margin?: number;
}

/** What a paper says of a measure that is computed from several arms: on which side of a border it lies. */
export interface DerivedComparison {
  readonly derived: string;
  readonly direction: "higher" | "lower";
  /** The border. Default: 0. */
  readonly margin?: number;
}

/** What a verdict may be. */
export const verdictResults = ["supported", "contradicted", "cannot tell"] as const;
export type VerdictResult = (typeof verdictResults)[number];

/** The rule for one comparison as a sentence; it is written down before a run. */
export function comparisonRule(comparison: Comparison | DerivedComparison): string {
  const { direction, margin = 0 } = comparison;
  const sign = direction === "higher" ? "above" : "below";
  if ("derived" in comparison) {
    return `the 95 % interval of ${comparison.derived} lies ${sign} ${margin}`;
  }
  const { arm, baseline, metric } = comparison;
  const border = direction === "higher" ? margin : -margin;
  return `the 95 % interval of ${metric} of ${arm} minus ${baseline} lies ${sign} ${border}`;
}

/**
 * Supported where the whole interval lies on the side of the claim and beyond its margin, contradicted
 * where all of it lies on the other side of that border; else, and with one seed, nothing can be told.
 */
export function judge(
  { direction, margin = 0 }: Pick<Comparison, "direction" | "margin">,
  { low, high }: Pick<PairedDifference, "low" | "high">,
): VerdictResult {
  if (low === undefined || high === undefined) return "cannot tell";
  const [near, far] = direction === "higher" ? [low, high] : [-high, -low];
  if (near > margin) return "supported";
  return far < margin ? "contradicted" : "cannot tell";
}

/** The same for a measure whose border is a place, not a distance: `margin` has its own sign. */
export function judgeDerived(
  { direction, margin = 0 }: Pick<DerivedComparison, "direction" | "margin">,
  interval: Pick<PairedDifference, "low" | "high">,
): VerdictResult {
  return judge({ direction, margin: direction === "higher" ? margin : -margin }, interval);
}

/**
 * A claim of several comparisons: supported if all are, contradicted if one is, else nothing can be
 * told.
 */
export function combineVerdicts(results: readonly VerdictResult[]): VerdictResult {
  if (results.includes("contradicted")) return "contradicted";
  const supported = results.length > 0 && results.every((result) => result === "supported");
  return supported ? "supported" : "cannot tell";
}
