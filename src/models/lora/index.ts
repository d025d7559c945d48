export { Adapter, applyLora, type LoraLayer, mergedWeight } from "./adapter.js";
export { type AdapterChoice, AdapterSet } from "./adapter-set.js";
export {
  type AdaptedModel,
  addAdapter,
  type AddAdapterOptions,
  addMatrices,
  mergeAdapter,
  removeAdapter,
  setActiveAdapter,
  unmergeAdapter,
} from "./adapters.js";
export { type LoraOptions, loraScale, type LoraSettings, loraSchema } from "./lora-options.js";
export { adapterFiles, parsePeftConfig, type PeftConfig, toPeftConfig } from "./peft-config.js";
export { adapterToTensors, addPeftAdapter } from "./peft-tensors.js";
export { type TargetModule, targetModules, targetNames } from "./target-modules.js";
