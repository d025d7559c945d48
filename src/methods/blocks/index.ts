export { higher, lower } from "./comparisons.js";
export {
  distillArm,
  type DistillDefaults,
  type DistillLoss,
  distillSettings,
  type DistillSettings,
} from "./distillation.js";
export { additionProblems } from "./problems.js";
export {
  type ReinforceDefaults,
  type ReinforceLoss,
  reinforceSettings,
  type ReinforceSettings,
  reinforceStage,
  type ReinforceTrainer,
  type Sampler,
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
  withTask,
} from "./settings.js";
export {
  collectStage,
  madeOnce,
  sftStage,
  type SftStageOptions,
  teacherStage,
  trainStage,
  type TrainStageOptions,
} from "./stages.js";
export { freshStudent, fromStage, students, type StudentSize, studentSizes } from "./students.js";
