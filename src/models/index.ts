export { decoderFromTensors, decoderToTensors } from "./checkpoint.js";
export {
  type ModelConfig,
  modelConfigSchema,
  type ModelOptions,
  modelOptionsSchema,
} from "./config.js";
export { copyDecoder } from "./copy.js";
export { Decoder } from "./decoder.js";
export { type Activation, type FamilyName, families, familyNames } from "./families/index.js";
export { fromFloat16 } from "./half-precision.js";
export {
  type ParsedConfig,
  parseHuggingFaceConfig,
  toHuggingFaceConfig,
} from "./hugging-face-config.js";
export { initializeDecoder } from "./initialize.js";
export { exportOnnx, type ExportOnnxOptions } from "./onnx/index.js";
export {
  decodeSafetensors,
  encodeSafetensors,
  type LoadedTensor,
  type TensorValues,
} from "./safetensors.js";
export type { SafetensorsDtype } from "./safetensors-header.js";
export type { ForwardOptions, KeyValueCache, LanguageModel, ModelInputs } from "./types.js";
