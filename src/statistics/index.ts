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
  judge,
  type VerdictResult,
  verdictResults,
} from "./verdict.js";
