export {
  type AblationFile,
  ablationSchema,
  type Arm,
  baselineOf,
  comparisonSchema,
  expandArms,
  seedList,
} from "./ablation.js";
export { type DerivedMeasure, type DerivedMeasures, derivedSchema } from "./derived.js";
export { chainOf } from "./chain.js";
export {
  checkChain,
  kindOf,
  replaceReferences,
  reservedFields,
  type Stage,
  type StageKind,
  type StageReference,
  stageReferences,
  type StageRun,
} from "./stages.js";
