export { higher, lower } from "./comparisons.js";
export {
  distillArm,
  type DistillDefaults,
  type DistillLoss,
  distillSettings,
  type DistillSettings,
} from "./distillation.js";
export { begunStage, dpoStage, type DpoStageOptions } from "./pairs.js";
export { additionProblems, additionSettings } from "./problems.js";
export { rankArm, type RankLoss, rankSettings, type RankSettings } from "./ranking.js";
export {
  type ReinforceFields,
  reinforceArm,
  type ReinforceLoss,
  type ReinforceSettings,
  reinforceSettings,
  reinforceStage,
  type ReinforceTrainer,
  rewardStage,
  type Sampler,
  startStage,
  type WarmDefaults,
  warmSettings,
  type WarmSettings,
  warmStage,
} from "./reinforcement.js";
export {
  type BaseDefaults,
  baseSettings,
  type BaseSettings,
  isTask,
  problemsField,
  type Problems,
  type ProblemsInput,
  rateField,
  sizeField,
  stepsField,
  withPrefix,
  withTask,
  withTemplate,
} from "./settings.js";
export {
  chooseSolver,
  corpusStages,
  type CorpusOptions,
  orderOf,
  sampleStages,
  smokeSettings,
  type SmokeSettings,
  smokeStages,
  type SmokeStart,
  type Solvers,
  solverSampler,
  solversField,
} from "./solvers.js";
export {
  chooseStage,
  collectStage,
  madeOnce,
  sftStage,
  type SftStageOptions,
  teacherStage,
  trainStage,
  type TrainStageOptions,
} from "./stages.js";
export { freshStudent, fromStage, students, type StudentSize, studentSizes } from "./students.js";
export {
  askRowsOf,
  countField,
  keepField,
  rowsOf,
  sftOnRows,
  shareField,
  solvedStage,
  stylesField,
  tracesStage,
  verifierField,
} from "./traces.js";
