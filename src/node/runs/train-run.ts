import { relative } from "node:path";
import type { DataReport, RunConfig } from "../../config/index.js";
import { NotFiniteError, PupilError } from "../../errors/index.js";
import type { SamplingCost } from "../../rollouts/index.js";
import { flatMetrics, type StepMetrics, type TrainingWarning } from "../../trainers/index.js";
import { removeFolderAtomic, writeFolderAtomic } from "../files/atomic.js";
import { DiskError } from "../files/disk.js";
import { exists } from "../files/file-exists.js";
import { withMark } from "../models/checkpoint-mark.js";
import { modelFiles } from "../models/model-folder.js";
import { rankerFiles } from "../models/ranker-folder.js";
import { type RunParts, buildRun } from "./build-run.js";
import { describeOtherData } from "./data-fingerprint.js";
import { differences } from "./differences.js";
import { describeSchedule } from "./longer-schedule.js";
import {
  checkpointSteps,
  createRunFolder,
  openRunFolder,
  readRunConfig,
  refuseExistingRun,
  type RunFolder,
  withoutVersions,
} from "./run-folder.js";
import type { Metrics, RunHistory } from "./run-history.js";
import { checkTeacher, manifestFiles } from "./run-teacher.js";
import { executorNotes, replayFiles, trainingStateFiles } from "./training-state.js";
import { versions } from "./versions.js";

/** What happens in a run, in order; the CLI shows it, tests read it. */
export type RunEvent =
  | { readonly type: "started"; readonly path: string; readonly notes: readonly string[] }
  | {
      readonly type: "resumed";
      readonly path: string;
      readonly step: number;
      readonly notes: readonly string[];
    }
  | { readonly type: "step"; readonly metrics: StepMetrics; readonly steps: number }
  | { readonly type: "warning"; readonly warning: TrainingWarning }
  | { readonly type: "evaluation"; readonly step: number; readonly metrics: Metrics }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string }
  | { readonly type: "finished"; readonly summary: RunSummary; readonly stopped: boolean };

/** `summary.json` of a run: of all its steps, however often it was resumed. */
export interface RunSummary {
  readonly name: string;
  readonly steps: number;
  readonly initial?: Metrics;
  readonly final: Metrics;
  /** Whether loss or evaluation were far worse at the end than at the start: the student is of no use. */
  readonly diverged: boolean;
  readonly parameters: number;
  /** Those that training changes, an adapter's too. */
  readonly trainedParameters: number;
  readonly tokens: number;
  /** What sampling and training have cost: see `SamplingCost`. */
  readonly cost: SamplingCost;
  readonly tokensPerSecond: number;
  readonly elapsedSeconds: number;
  readonly checkpoint: string;
  /** What became of the rows of the data. */
  readonly data?: DataReport;
}

export interface TrainRunOptions {
  readonly config: RunConfig;
  /** Folder of the run; a new run makes it. */
  readonly path: string;
  readonly resume: boolean;
  /** Whether a run may go on with another teacher than its checkpoint's. Default: false. */
  readonly newTeacher?: boolean;
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * Trains a run on disk: builds the parts from the config, logs every step, evaluates and saves when
 * due, and ends with a checkpoint, also where it cannot go on, unless its values are not finite or the
 * disk takes no more. Needs a started backend.
 *
 * @throws PupilError also if another process trains in the same folder
 */
export async function* trainRun(options: TrainRunOptions): AsyncGenerator<RunEvent> {
  const { config, path, resume, signal } = options;
  if (!resume) await refuseExistingRun(path);
  const opened = resume ? await openRunFolder(path) : undefined;
  const step = opened?.step ?? 0;
  let run = opened?.run;
  try {
    const notes = [
      ...(opened?.notes ?? []),
      ...(resume ? await settleConfig(opened?.run as RunFolder, config, step) : []),
    ];
    const checkpoint = step > 0 ? run?.checkpointPath(step) : undefined;
    if (checkpoint !== undefined) notes.push(...(await executorNotes(checkpoint)));
    using parts = await buildRun(config, checkpoint);
    if (checkpoint !== undefined) {
      notes.push(
        ...(await checkTeacher(checkpoint, parts.teacherManifest, options.newTeacher ?? false)),
      );
    }
    await parts.checkData();
    const fingerprint = await parts.fingerprint();
    notes.push(...(await describeOtherData(path, fingerprint, step)));
    // The folder of a new run is made only once everything in the config was found to work.
    run ??= await createRunFolder(path, { ...config, versions: versions() });
    // Without a checkpoint the run begins again, with the data of now.
    if (step === 0) await run.writeFingerprint(fingerprint);
    const history = await run.goBackTo(step);
    if (resume) await run.log({ type: "resume", step });
    yield resume
      ? { type: "resumed", path, step, notes: [...notes, ...missingRows(history, step)] }
      : { type: "started", path, notes: parts.notes };
    yield* trainLoop(config, parts, { run, history, startStep: step, signal });
  } finally {
    await run?.close();
  }
}

/** Stores what was changed of a run that continues; says what that does to the steps to come. */
async function settleConfig(run: RunFolder, config: RunConfig, step: number): Promise<string[]> {
  const stored = (await readRunConfig(run.path)) as RunConfig & { versions?: object };
  const notes = describeSchedule(stored.trainer.steps, config.trainer, step);
  if (differences(withoutVersions(stored), config).length > 0) {
    await run.writeConfig({ ...config, versions: stored.versions });
  }
  return notes;
}

function missingRows(history: RunHistory, step: number): string[] {
  const count = history.missing(step);
  if (count === 0) return [];
  return [
    `metrics.jsonl has ${step - count} of the ${step} steps that are done: the summary counts only those.`,
  ];
}

interface Progress {
  readonly run: RunFolder;
  readonly history: RunHistory;
  readonly startStep: number;
  readonly signal: AbortSignal | undefined;
}

async function* trainLoop(
  config: RunConfig,
  parts: RunParts,
  { run, history, startStep, signal }: Progress,
): AsyncGenerator<RunEvent> {
  const { steps } = config.trainer;
  let step = startStep;
  let saved = startStep > 0 ? startStep : undefined;
  let { lossStates } = parts;
  let wantsSave = false;
  // In the middle of a batch of rollouts there is nothing that a resumed run could go on from.
  let canSave = true;

  const warn = async function* (warnings: readonly TrainingWarning[]): AsyncGenerator<RunEvent> {
    for (const warning of warnings) {
      await run.log({ type: "warning", ...warning });
      yield { type: "warning", warning };
    }
  };
  const evaluate = async function* (): AsyncGenerator<RunEvent> {
    const { metrics, completions, traces, correct } = await parts.evaluate();
    if (Object.keys(correct).length > 0) await run.writeProblems(correct);
    await run.appendCompletions(completions.map((row) => ({ step, ...row })));
    await run.appendTraces(traces.map((row) => ({ ...row, step })));
    await run.log({ type: "evaluation", step, values: metrics });
    const warnings = history.addEvaluation({ step, metrics });
    yield { type: "evaluation", step, metrics };
    yield* warn(warnings);
  };
  const isEvaluationDue = () =>
    (step === steps || isDue(step, config.evaluation.every)) && history.last?.step !== step;
  const save = async (): Promise<RunEvent> => {
    const target = run.checkpointPath(step);
    const state = await trainingStateFiles(step, parts.optimizer, lossStates, {
      teacher: parts.teacher?.state,
      projections: parts.projections?.state,
    });
    await run.syncLogs();
    const files = new Map([
      ...(await studentFiles(parts)),
      ...manifestFiles(parts.teacherManifest),
      ...replayFiles(parts.replay),
      ...state,
    ]);
    await writeFolderAtomic(target, withMark(files));
    saved = step;
    await run.log({ type: "checkpoint", step, path: relative(run.path, target) });
    await removeOldCheckpoints(run, config.checkpoint.keep);
    return { type: "checkpoint", step, path: target };
  };
  const isSaveDue = () => step === steps || isDue(step, config.checkpoint.every);

  try {
    // Of step 0, or of one that was interrupted before its evaluation.
    if (isEvaluationDue()) yield* evaluate();
    for await (const metrics of untilAborted(parts.train(startStep), signal)) {
      step = metrics.step;
      lossStates = metrics.lossStates;
      const { isMidRollout } = metrics;
      const flags = isMidRollout && { isMidRollout };
      await run.log({ type: "step", step, ...flags, values: flatMetrics(metrics) });
      const warnings = history.addStep(metrics);
      yield { type: "step", metrics, steps };
      yield* warn(warnings);
      // A resumed run trusts that all rows of a step are there once its checkpoint is.
      if (isEvaluationDue()) yield* evaluate();
      wantsSave ||= isSaveDue() || signal?.aborted === true;
      canSave = metrics.isMidRollout !== true;
      if (wantsSave && canSave) {
        yield await save();
        wantsSave = false;
      }
    }
    // An earlier process may have been killed between its last checkpoint and this.
    await removeOldCheckpoints(run, config.checkpoint.keep);
  } catch (error) {
    // A user error, such as a teacher's, comes before the step changes anything.
    const isGood =
      error instanceof PupilError &&
      !(error instanceof NotFiniteError || error instanceof DiskError);
    let failure: unknown = error;
    try {
      if (isGood && canSave && step > startStep && saved !== step) yield await save();
    } catch (another) {
      const both = `${(error as Error).message} It could not be saved: ${(another as Error).message}`;
      failure = another instanceof PupilError ? new PupilError(both, { cause: another }) : another;
    }
    throw await withLastCheckpoint(failure, step, saved, run);
  }
  const summary = summaryOf(config, parts, history, step, run.checkpointPath(step));
  const stopped = step < steps;
  if (!stopped) await run.writeSummary(summary);
  yield { type: "finished", summary, stopped };
}

/** Steps of a training until someone wants it to end. */
async function* untilAborted(
  steps: AsyncGenerator<StepMetrics>,
  signal: AbortSignal | undefined,
): AsyncGenerator<StepMetrics> {
  if (signal?.aborted) return;
  for await (const metrics of steps) {
    yield metrics;
    if (signal?.aborted && metrics.isMidRollout !== true) return;
  }
}

function summaryOf(
  config: RunConfig,
  parts: RunParts,
  { tokens, cost, trainingMs, initial, last, diverged }: RunHistory,
  step: number,
  checkpoint: string,
): RunSummary {
  return {
    name: config.name,
    steps: step,
    ...(initial === undefined ? {} : { initial: initial.metrics }),
    final: last?.metrics ?? {},
    diverged,
    parameters: (parts.ranker ?? parts.student).numParameters,
    trainedParameters: numTrained(parts),
    tokens,
    cost,
    tokensPerSecond: trainingMs === 0 ? 0 : (tokens / trainingMs) * 1000,
    elapsedSeconds: trainingMs / 1000,
    checkpoint,
    ...(parts.dataReport === undefined ? {} : { data: parts.dataReport }),
  };
}

/** What a checkpoint holds of the student: a model folder, or an adapter, with the head it has. */
function studentFiles({ student, ranker, tokenizer }: RunParts) {
  return ranker === undefined ? modelFiles(student, tokenizer) : rankerFiles(ranker, tokenizer);
}

function numTrained({ student, ranker }: RunParts): number {
  return [...(ranker ?? student).trainableParameters().values()].reduce(
    (sum, { size }) => sum + size,
    0,
  );
}

function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}

async function removeOldCheckpoints(run: RunFolder, keep: number): Promise<void> {
  const steps = await checkpointSteps(run.path);
  for (const step of steps.slice(0, -keep)) await removeFolderAtomic(run.checkpointPath(step));
}

/** Says at which step a user error happened and what is left of the run. */
async function withLastCheckpoint(
  error: unknown,
  step: number,
  saved: number | undefined,
  run: RunFolder,
): Promise<unknown> {
  if (!(error instanceof PupilError)) return error;
  const checkpoint = saved === undefined ? undefined : run.checkpointPath(saved);
  const kept =
    checkpoint === undefined
      ? "No checkpoint had been written."
      : (await exists(checkpoint))
        ? `The last good checkpoint is ${checkpoint}; resume=${run.path} continues from there.`
        : `The last checkpoint, ${checkpoint}, is gone too.`;
  return new PupilError(`${error.message} ${kept}`, { field: `step ${step + 1}`, cause: error });
}
