export { checkLoss, type LossSupply } from "./checks/check-loss.js";
export { checkRows, type RunRows } from "./checks/check-rows.js";
export type { TrainingData } from "./data-source.js";
export { distill, type DistillOptions } from "./distill.js";
export { checkReplay, replayedFraction, type TrainingReplay } from "./distill/written-rows.js";
export {
  evaluateDivergence,
  evaluateLoss,
  type HeldOutLoss,
  sampleCompletions,
  type SampledCompletions,
  type TeacherDivergence,
} from "./evaluation/evaluate.js";
export {
  completedRows,
  evaluateStudent,
  type EvaluateOptions,
  type EvaluationSet,
  type ScoredCompletion,
  type StudentEvaluation,
} from "./evaluation/evaluate-student.js";
export {
  evaluateRanking,
  type EvaluateRankingOptions,
  rankingMetrics,
} from "./evaluation/evaluate-ranking.js";
export {
  type Alternative,
  scoresOwnText,
  type TokenView,
  viewTokens,
  type ViewTokensOptions,
} from "./evaluation/view-tokens.js";
export { betterDirection } from "./evaluation/better.js";
export { evaluatePairs } from "./evaluation/evaluate-pairs.js";
export {
  evaluateWindows,
  type EvaluateWindowsOptions,
  type RankingWindowOptions,
} from "./evaluation/evaluate-windows.js";
export { evaluateSamples, type EvaluateSamplesOptions } from "./evaluation/evaluate-samples.js";
export { type EvaluationWatch, watchEvaluations } from "./diagnostics/watch-evaluations.js";
export {
  type FailureSignature,
  failureSignatures,
  type TrainingHistory,
} from "./diagnostics/failure-signatures.js";
export * from "./log/index.js";
export { layerSizesOf } from "./step/layer-terms.js";
export { commonMetrics, type StepMetrics } from "./step/metrics.js";
export {
  requireMicroBatches,
  splitIntoBatches,
  type SplitOptions,
  type StepBatches,
} from "./step/micro-batches.js";
export {
  applyGradients,
  computeGradients,
  type MicroBatch,
  type StepContext,
  type StepGradients,
} from "./step/step.js";
export { type PairData, pairs, type PairsOptions, type TokenPair } from "./pairs.js";
export { makeProjections, Projections } from "./step/projections.js";
export { type ChosenSampler, reinforce, type ReinforceOptions } from "./reinforce.js";
export {
  checkReinforce,
  type ReinforceParts,
  type ReinforceSignals,
} from "./reinforce/check-reinforce.js";
export type { StepTerm } from "./step/step-term.js";
export { type RolloutInputs, teacherAdvantages } from "./step/rollout-inputs.js";
export { rank, type RankData, type RankOptions } from "./rank.js";
export { sft, type SftOptions } from "./sft.js";
export {
  compareSupports,
  type CompareSupportsOptions,
  type SupportComparison,
  type SupportLogits,
  type SupportRow,
} from "./supports/compare-supports.js";
export { type Estimate, type GradientStatistics } from "./supports/gradient-statistics.js";
export { type ComparedRow, parameterGradients } from "./supports/parameter-gradients.js";
export { type KlDirection, type SupportWay, supportWays } from "./supports/ways.js";
export {
  type TrainingWarning,
  type TrainingWatch,
  watchTraining,
} from "./diagnostics/watch-training.js";
