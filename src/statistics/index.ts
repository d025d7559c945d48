export type { BootstrapOptions } from "./bootstrap.js";
export {
  areaUnderCurve,
  contrast,
  type DerivedEstimate,
  derivedEstimate,
  gapRecovered,
  monotonicity,
  rankCorrelation,
  type Point,
} from "./derived.js";
export {
  type PairedDifference,
  pairedDifference,
  type PairedOptions,
  probabilityOfImprovement,
  type SeedValues,
} from "./paired-difference.js";
export { mean, quantile, sampleVariance, standardError } from "./summary.js";
export { studentQuantile975 } from "./student-t.js";
export {
  combineVerdicts,
  type Comparison,
  comparisonRule,
  type DerivedComparison,
  judge,
  judgeDerived,
  type VerdictResult,
  verdictResults,
} from "./verdict.js";
