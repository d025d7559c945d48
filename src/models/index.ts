export {
  type ModelConfig,
  modelConfigSchema,
  type ModelOptions,
  modelOptionsSchema,
} from "./config.js";
export { Decoder } from "./decoder.js";
export { type FamilyName, families, familyNames } from "./families/index.js";
export { initializeDecoder } from "./initialize.js";
export type { ForwardOptions, KeyValueCache, LanguageModel, ModelInputs } from "./types.js";
