export {
  adapterName,
  filesOfAdapter,
  holdsAdapter,
  loadFolderAdapter,
  readFolderAdapterConfig,
  readFolderAdapterWeights,
} from "./adapter.js";
export { type CheckpointFiles, openCheckpoint, openTensors } from "./checkpoint.js";
export {
  decodeText,
  type FileBytes,
  type FileContent,
  type FolderFiles,
  jsonText,
  parseJson,
} from "./folder-files.js";
export {
  type LoadedModel,
  loadFolderModel,
  loadFolderWithAdapter,
  modelFileNames,
  modelFiles,
  type RequireFits,
  type SaveModelOptions,
} from "./model.js";
export { endIdsOf, generationEndIds, readFolderConfig } from "./model-config.js";
export {
  backendLimits,
  type DeviceLimits,
  gibibytes,
  largestMatrixBytes,
  requireWithin,
  weightBytes,
} from "./model-memory.js";
export { readFolderTokenizer, tokenizerFiles } from "./tokenizer.js";
