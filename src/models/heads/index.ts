export {
  type HeadConfig,
  headKeys,
  parseHeadConfig,
  type ProblemType,
  toHeadKeys,
} from "./head-config.js";
export { loadSequenceModel, sequenceModelToTensors } from "./sequence-checkpoint.js";
export { type SequenceInputs, sequenceInputs } from "./sequence-inputs.js";
export { scoreName, SequenceModel, withHead, type WithHeadOptions } from "./sequence-model.js";
