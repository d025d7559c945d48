export {
  type CompletionLengths,
  completionLengths,
  contextNotes,
  roomNotes,
  positionsNeeded,
} from "./completion-lengths.js";
export {
  type AblationFile,
  ablationSchema,
  type Arm,
  baselineOf,
  chainOf,
  checkChain,
  type Choice,
  type ChoiceInput,
  choiceSchema,
  comparisonSchema,
  configOf,
  type DerivedMeasure,
  type DerivedMeasures,
  derivedSchema,
  type Draws,
  expandArms,
  kindOf,
  type ProductKind,
  replaceReferences,
  reservedFields,
  seedList,
  type Stage,
  type StageKind,
  type StageReference,
  stageReferences,
  type StageRun,
  type StopRule,
  type Varied,
} from "./ablations/index.js";
export {
  type CollectConfig,
  collectConfigSchema,
  collectConfigSchemaWith,
} from "./collect.js";
export { type Component, type ComponentKind, componentOf, components } from "./components.js";
export {
  byteTokenizerFor,
  characterTokenizerFor,
  type DataAccess,
  type DataReport,
  type Dataset,
  filesInMemory,
  type HubRequest,
  type OwnDataComponents,
  prepareData,
  type PreparedData,
  type PrepareOptions,
  prontoqaJudge,
  readListsOf,
} from "./datasets/index.js";
export {
  datasetSchema,
  datasetSchemaWith,
  type EvaluationData,
  evaluationDataSchema,
  namedDatasets,
} from "./dataset-schema.js";
export { describeFields, type FieldDescription } from "./describe.js";
export { findComponents } from "./find-component.js";
export { freshContext, freshStudentConfig } from "./fresh-student.js";
export { applyOverrides, parseOverride } from "./overrides.js";
export { noOwnComponents, type OwnComponents } from "./own-components.js";
export { reinforceTrainerSchema } from "./reinforce-trainer.js";
export { shortfallNotes, topKNotes } from "./shortfalls.js";
export { type RecordOptions, recordOptionsSchema } from "./record-options.js";
export {
  distillTrainerSchema,
  evaluationSchema,
  pairsTrainerSchema,
  type RunConfig,
  runConfigSchema,
  runConfigSchemaWith,
  sftTrainerSchema,
  studentSchema,
  tokenizerSchema,
  trainerSchema,
} from "./run.js";
export { parseConfig } from "../errors/index.js";
