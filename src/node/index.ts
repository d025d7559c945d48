export { loadRunLosses, parseRunConfig } from "./run-losses.js";
export { loadAdapter, saveAdapter } from "./adapter-folder.js";
export { removeUnfinished, writeFileAtomic, writeFolderAtomic } from "./atomic.js";
export { buildRun, type RunParts } from "./build-run.js";
export type { CompletionRow, RunEvaluation } from "./run-evaluation.js";
export { dataOnDisk, listFolder } from "./data-on-disk.js";
export { evaluateRun, resolveEvaluation } from "./evaluate-run.js";
export { exportModel, type ExportOptions, exportOptionsSchema } from "./export-model.js";
export { findModelFolder } from "./find-model.js";
export { downloadDataset, type HubOptions } from "./hub-dataset.js";
export { type DataInspection, inspectData, resolveData } from "./inspect-data.js";
export { loadLosses } from "./load-losses.js";
export { loadTokenizer } from "./load-tokenizer.js";
export {
  type LoadedModel,
  loadModelFolder,
  type SaveModelOptions,
  saveModelFolder,
} from "./model-folder.js";
export { type ModelInfo, readModelInfo } from "./model-info.js";
export { mergeModelFolder } from "./merge-adapter.js";
export { openDataFile } from "./open-data-file.js";
export { nodePlatform } from "./platform.js";
export { openRecording } from "./recording/open-recording.js";
export { type RecordEvent, recordTeacher } from "./recording/record-teacher.js";
export { resolveRecording } from "./recording/resolve-recording.js";
export { readJson } from "./read-files.js";
export { resolveTraining, type Training } from "./resolve-training.js";
export {
  type LoadedSequenceModel,
  loadSequenceModelFolder,
  saveSequenceModelFolder,
} from "./sequence-model-folder.js";
export { createSpillFile } from "./spill-file.js";
export { type RunEvent, type RunSummary, trainRun, type TrainRunOptions } from "./train-run.js";
export {
  trainTokenizer,
  type TrainTokenizerEvent,
  type TrainTokenizerOptions,
  trainTokenizerSchema,
} from "./train-tokenizer.js";
export { versions } from "./versions.js";
