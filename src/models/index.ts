export {
  type CheckpointReader,
  checkTensorNames,
  headTensorName,
  decoderFromTensors,
  decoderToTensors,
  loadDecoder,
} from "./checkpoints/checkpoint.js";
export {
  type ModelConfig,
  modelConfigSchema,
  type ModelOptions,
  modelOptionsSchema,
} from "./decoder/config.js";
export { copyDecoder } from "./decoder/copy.js";
export { Decoder } from "./decoder/decoder.js";
export { type Activation, type FamilyName, families, familyNames } from "./families/index.js";
export { freezeModel, frozenBytes } from "./decoder/frozen.js";
export { fromFloat16, toFloat16 } from "./checkpoints/half-precision.js";
export {
  type HeadConfig,
  headKeys,
  loadSequenceModel,
  parseHeadConfig,
  type ProblemType,
  scoreName,
  type SequenceInputs,
  sequenceInputs,
  SequenceModel,
  sequenceModelToTensors,
  toHeadKeys,
  withHead,
  type WithHeadOptions,
} from "./heads/index.js";
export {
  type ParsedConfig,
  parseHuggingFaceConfig,
  toHuggingFaceConfig,
} from "./checkpoints/hugging-face-config.js";
export { initializeDecoder, initializeDecoderInPieces } from "./decoder/initialize.js";
export {
  type AdaptedModel,
  Adapter,
  adapterFiles,
  AdapterSet,
  adapterToTensors,
  addAdapter,
  type AddAdapterOptions,
  addPeftAdapter,
  type LoraOptions,
  loraSchema,
  type LoraSettings,
  mergeAdapter,
  parsePeftConfig,
  type PeftConfig,
  removeAdapter,
  setActiveAdapter,
  targetModules,
  targetNames,
  toPeftConfig,
  unmergeAdapter,
} from "./lora/index.js";
export { exportOnnx, type ExportOnnxOptions } from "./onnx/index.js";
export {
  cacheBytesPerToken,
  type ParameterGroups,
  parameterGroups,
} from "./decoder/parameter-groups.js";
export { contextLength, type RopeScaling, ropeScalingSchema } from "./decoder/rope-scaling.js";
export {
  firstLayer,
  type LayerRequest,
  type LayerResults,
  type LayerSizes,
  type LayerState,
  type LayerStates,
} from "./decoder/layer-states.js";
export {
  decodeSafetensors,
  encodeSafetensors,
  type LoadedTensor,
  type TensorValues,
  type WeightDtype,
  weightDtypes,
  widenTensor,
} from "./checkpoints/safetensors.js";
export {
  longestHeader,
  readSafetensorsHeader,
  type SafetensorsDtype,
  type SafetensorsEntry,
} from "./checkpoints/safetensors-header.js";
export {
  checkShards,
  parseShardIndex,
  planShards,
  type ShardOptions,
  type ShardPlan,
  weightFiles,
} from "./checkpoints/shards.js";
export { variableState, type VariableState } from "./checkpoints/variable-state.js";
export { fitToVocabulary, withVocabulary } from "./decoder/with-vocabulary.js";
export type {
  AheadInputs,
  ForwardOptions,
  KeyValueCache,
  LanguageModel,
  ModelInputs,
} from "./decoder/types.js";
