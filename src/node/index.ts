export { loadRunLosses, parseRunConfig } from "./run-losses.js";
export { removeUnfinished, writeFileAtomic, writeFolderAtomic } from "./atomic.js";
export { buildRun, type RunParts } from "./build-run.js";
export type { CompletionRow, RunEvaluation } from "./run-evaluation.js";
export { dataOnDisk, listFolder } from "./data-on-disk.js";
export { evaluateRun, resolveEvaluation } from "./evaluate-run.js";
export { findModelFolder } from "./find-model.js";
export { downloadDataset, type HubOptions } from "./hub-dataset.js";
export { type DataInspection, inspectData, resolveData } from "./inspect-data.js";
export { loadLosses } from "./load-losses.js";
export {
  type LoadedModel,
  loadModelFolder,
  loadTokenizer,
  type SaveModelOptions,
  saveModelFolder,
} from "./model-folder.js";
export { openDataFile } from "./open-data-file.js";
export { nodePlatform } from "./platform.js";
export { readJson } from "./read-files.js";
export { resolveTraining, type Training } from "./resolve-training.js";
export { createSpillFile } from "./spill-file.js";
export { type RunEvent, type RunSummary, trainRun, type TrainRunOptions } from "./train-run.js";
export { versions } from "./versions.js";
