export {
  checkedLoss,
  type CheckedLoss,
  type CheckOutcome,
  describesItself,
  type Finding,
  type GoldenCase,
  type GoldenResult,
  type LossCheck,
  lossChecks,
  parseGoldenCases,
  problemsOf,
  runGoldenCase,
  selfCheck,
  signIsUnknown,
} from "./checks/index.js";
export {
  answerLogProbs,
  answerPairInputs,
  type AnswerPairs,
  onlyWholePairs,
} from "./answer-log-probs.js";
export {
  combineLosses,
  evaluateTerm,
  inputsOf,
  lossTerm,
  needsOf,
  readsLayers,
  readsLists,
  termLabels,
} from "./combine.js";
export type { CombinedLoss, LossTerm } from "./combine.js";
export { defineLoss } from "./define.js";
export type {
  Aggregation,
  FinishedStep,
  LossDefinition,
  LossProperties,
  LossState,
  LossStateDefinition,
  StateNumbers,
  LossTensors,
  ValuesPer,
} from "./define.js";
export { describeLoss, type LossDescription, type LossField, lossFacts } from "./describe.js";
export { lossInputFacts, lossInputs } from "./inputs.js";
export type { LayerInput, LossInput, LossInputFacts, LossInputs } from "./inputs.js";
export type { LayerPair } from "./layers.js";
export { listScores, type ListScores } from "./list-scores.js";
export { lossDefinitions, type LossKind, type LossName, lossesByKind } from "./list.js";
export { maskedSum } from "../ops/index.js";
export { maskedMean, type RowWeights, rowWeights } from "./reduce.js";
export {
  findLoss,
  lossTermFromConfig,
  lossTermSchema,
  type LossTermConfig,
  lossTermSchemaWith,
} from "./schema.js";
export {
  advanceLossStates,
  initialLossStates,
  type LossStates,
  namedLossStates,
  restoredLossStates,
} from "./state.js";
export { stopGradient } from "./stop-gradient.js";
export type { TemperatureOptions } from "./temperature.js";
export {
  type LossWeight,
  weightAt,
  weightField,
  type WeightSchedule,
  weightScheduleSchema,
} from "./weight.js";

// The losses, by kind.
export * from "./lists/index.js";
export * from "./pairs/index.js";
export * from "./representations/index.js";
export * from "./sampled/index.js";
export * from "./sparse/index.js";
export { type StudentSupport, studentSupportKl } from "./student-support-kl.js";
export * from "./token/index.js";
