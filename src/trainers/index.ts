export { checkLoss, type LossSupply } from "./check-loss.js";
export { checkRows, type RunRows } from "./check-rows.js";
export type { TrainingData } from "./data-source.js";
export { distill, type DistillOptions } from "./distill.js";
export {
  evaluateDivergence,
  evaluateLoss,
  type HeldOutLoss,
  sampleCompletions,
  type SampledCompletions,
  type TeacherDivergence,
} from "./evaluate.js";
export {
  evaluateStudent,
  type EvaluateOptions,
  type EvaluationSet,
  type ScoredCompletion,
  type StudentEvaluation,
} from "./evaluate-student.js";
export {
  type FailureSignature,
  failureSignatures,
  type TrainingHistory,
} from "./failure-signatures.js";
export { layerSizesOf } from "./layer-terms.js";
export type { StepMetrics } from "./metrics.js";
export { type PairData, pairs, type PairsOptions, type TokenPair } from "./pairs.js";
export { makeProjections, Projections } from "./projections.js";
export { type RolloutInputs, teacherAdvantages } from "./rollout-inputs.js";
export { sft, type SftOptions } from "./sft.js";
export { type TrainingWarning, watchTraining } from "./watch-training.js";
