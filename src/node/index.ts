export { loadLosses, loadOwnComponents, parseRunConfig } from "./modules/own-components.js";
export { describeModule } from "./modules/describe-module.js";
export { loadModule, loadModules, type ModuleKind } from "./modules/load-modules.js";
export { takeTrust } from "./modules/trusted-modules.js";
export { lossModules, taskModules, verifierModules } from "./modules/module-kinds.js";
export { loadAdapter, saveAdapter } from "./models/adapter-folder.js";
export { removeUnfinished, writeFileAtomic, writeFolderAtomic } from "./files/atomic.js";
export { buildRun, type RunParts } from "./runs/training/build-run.js";
export type { CompletionRow, RunEvaluation } from "./runs/run-evaluation.js";
export { dataOnDisk, listFolder } from "./files/data-on-disk.js";
export { evaluateRun, resolveEvaluation } from "./runs/evaluate-run.js";
export {
  compareRunSupports,
  resolveSupports,
  type SupportReport,
  type SupportRequest,
} from "./runs/models/compare-supports.js";
export { type Disk, DiskError, type OpenFile, replaceDisk } from "./files/disk.js";
export { exportModel, type ExportOptions, exportOptionsSchema } from "./models/export-model.js";
export { explainDiskErrors } from "./files/disk.js";
export { exists } from "./files/file-exists.js";
export { separatorNotes } from "./models/separator-notes.js";
export { findModelFolder } from "./models/find-model.js";
export { downloadDataset, type HubOptions } from "./files/hub-dataset.js";
export { type DataInspection, inspectData, resolveData } from "./runs/inspect-data.js";
export { loadTokenizer } from "./models/load-tokenizer.js";
export type { LoadedModel, SaveModelOptions } from "../folders/index.js";
export { loadModelFolder, saveModelFolder } from "./models/model-folder.js";
export { type ModelInfo, readModelInfo } from "./models/model-info.js";
export { mergeModelFolder } from "./models/merge-adapter.js";
export { type LogContent, readLog } from "./logs/log-file.js";
export { exportMetrics, exportMetricsSchema } from "./logs/exports/export-metrics.js";
export { type Reached, reachedIn } from "./logs/reached.js";
export { readTraces } from "./logs/traces.js";
export { traceText, type TracedText, type TraceTextOptions } from "./models/trace-text.js";
export { writeRunReport } from "./pages/write-run-report.js";
export { type RunView, viewRun } from "./pages/run-view.js";
export { serveView } from "./view/serve-view.js";
export type { ViewOptions, ViewServer } from "./view/serve.js";
export { openDataFile } from "./files/open-data-file.js";
export { nodePlatform } from "./platform.js";
export { openHiddenStates, openRecording } from "./recording/open-recording.js";
export { type RecordEvent, recordTeacher } from "./recording/record-teacher.js";
export { resolveRecording } from "./recording/resolve-recording.js";
export { toJson, withNumbers } from "./files/json.js";
export { readJson } from "./files/read-files.js";
export { resolveTraining, type Training } from "./runs/training/resolve-training.js";
export {
  type LoadedSequenceModel,
  loadSequenceModelFolder,
  saveSequenceModelFolder,
} from "./models/sequence-model-folder.js";
export { createSpillFile } from "./files/spill-file.js";
export type { RunEvent, RunSummary } from "./runs/training/run-event.js";
export { type LoopRun, runLoop, type RunLoopOptions } from "./runs/training/own-loop.js";
export { trainRun, type TrainRunOptions } from "./runs/training/train-run.js";
export {
  trainTokenizer,
  type TrainTokenizerEvent,
  type TrainTokenizerOptions,
  trainTokenizerSchema,
} from "./models/train-tokenizer.js";
export { versions } from "./runs/folder/versions.js";
export { attach, type AttachEvent, cancelJobs } from "./ablations/attach.js";
export { stageEngine, writeTaskFiles, type WrittenFiles } from "./ablations/engine.js";
export { checkExecutor } from "./executors/create-executor.js";
export { kubernetesFields } from "./executors/files/fields.js";
export { executorShape, type ExecutorWords } from "./executors/fields.js";
export { type JobState } from "./executors/executor.js";
export { ablate, type AblateOptions } from "./ablations/ablate.js";
export { compareRuns, type RunComparison } from "./ablations/compare-runs.js";
export { comparisonText, methodReadme } from "./ablations/methods/method-readme.js";
export { methodReports, readVerdict } from "./ablations/methods/read-verdict.js";
export { unfinishedLines } from "./ablations/report/content.js";
export { comparisonTables, writeReport } from "./ablations/report/report.js";
export { failuresTable } from "./ablations/report/trouble-tables.js";
export type { Table as ReportTable } from "./ablations/report/tables.js";
export { type ListedRun, listRuns } from "./runs/folder/list-runs.js";
export { loadMethod, loadMethods } from "./ablations/methods/load-methods.js";
export {
  planMethod,
  type PlanMethodOptions,
  settingRows,
} from "./ablations/methods/plan-method.js";
export type { PlanOptions } from "./ablations/plan.js";
export type { AblationPlan, Cell } from "./ablations/planned.js";
export { planAblation } from "./ablations/plan-file.js";
export type { AblationResults } from "./ablations/results.js";
export type { StageEngine, StageEvent } from "./ablations/stages/run-stages.js";
export { labelOf, type PlannedStage, stepsOf } from "./ablations/stages/stage.js";
export { inThisProcess } from "./ablations/stages/workers.js";
export {
  type CollectEvent,
  type Collection,
  type CollectOptions,
  type CollectSummary,
  collectTraces,
} from "./collect/collect-traces.js";
export { parseCollectConfig, resolveCollect } from "./collect/resolve-collect.js";
