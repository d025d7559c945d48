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
export { type Choice, type ChoiceInput, choiceSchema } from "./choice.js";
export type { Draws, Varied } from "./draws.js";
export type { StopRule } from "./stop.js";
export {
  checkChain,
  configOf,
  kindOf,
  type ProductKind,
  replaceReferences,
  reservedFields,
  type Stage,
  type StageKind,
  type StageReference,
  stageReferences,
  type StageRun,
} from "./stages.js";
