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
export type { StepMetrics } from "./metrics.js";
export { sft, type SftOptions } from "./sft.js";
