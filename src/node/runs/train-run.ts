import { rm } from "node:fs/promises";
import type { DataReport, RunConfig } from "../../config/index.js";
import { NotFiniteError, PupilError } from "../../errors/index.js";
import { type StepMetrics, type TrainingWarning, watchTraining } from "../../trainers/index.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { type RunParts, buildRun } from "./build-run.js";
import { modelFiles } from "../models/model-folder.js";
import { checkpointSteps, createRunFolder, openRunFolder, type RunFolder } from "./run-folder.js";
import { executorNotes, trainingStateFiles } from "./training-state.js";
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

type Metrics = Readonly<Record<string, number>>;

/** `summary.json` of a run. */
export interface RunSummary {
  readonly name: string;
  readonly steps: number;
  readonly initial?: Metrics;
  readonly final: Metrics;
  readonly parameters: number;
  /** Those that training changes, an adapter's too. */
  readonly trainedParameters: number;
  readonly tokens: number;
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
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * Trains a run on disk: builds the parts from the config, logs every step, evaluates and saves when
 * due, and ends with a checkpoint, also where it cannot go on, unless its values are not finite. Needs
 * a started backend.
 */
export async function* trainRun(options: TrainRunOptions): AsyncGenerator<RunEvent> {
  const { config, path, resume, signal } = options;
  const { run, step: startStep } = resume ? await openRunFolder(path) : { run: undefined, step: 0 };
  const checkpoint = startStep > 0 ? run?.checkpointPath(startStep) : undefined;
  using parts = await buildRun(config, checkpoint);
  await parts.checkData();
  // The folder of a new run is made only once everything in the config was found to work.
  const folder = run ?? (await createRunFolder(path, { ...config, versions: versions() }));
  const notes = checkpoint === undefined ? [] : await executorNotes(checkpoint);
  yield resume
    ? { type: "resumed", path, step: startStep, notes }
    : { type: "started", path, notes: parts.notes };
  yield* trainLoop(config, parts, folder, startStep, signal);
}

async function* trainLoop(
  config: RunConfig,
  parts: RunParts,
  run: RunFolder,
  startStep: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RunEvent> {
  const { steps } = config.trainer;
  let step = startStep;
  let tokens = 0;
  let trainingMs = 0;
  let saved = startStep > 0 ? startStep : undefined;
  let { lossStates } = parts;
  let evaluated: { step: number; metrics: Metrics } | undefined;

  const evaluate = async (): Promise<RunEvent> => {
    const { metrics, completions } = await parts.evaluate();
    await run.appendMetrics({ step, ...metrics });
    await run.appendCompletions(completions.map((row) => ({ step, ...row })));
    evaluated = { step, metrics };
    return { type: "evaluation", step, metrics };
  };
  const save = async (): Promise<RunEvent> => {
    const target = run.checkpointPath(step);
    const state = await trainingStateFiles(step, parts.optimizer, lossStates, {
      teacher: parts.teacher?.state,
      projections: parts.projections?.state,
    });
    await writeFolderAtomic(
      target,
      new Map([...(await modelFiles(parts.student, parts.tokenizer)), ...state]),
    );
    saved = step;
    await removeOldCheckpoints(run, config.checkpoint.keep);
    return { type: "checkpoint", step, path: target };
  };

  const watch = watchTraining();
  let initial: Metrics | undefined;
  if (startStep === 0 && config.evaluation.every > 0) {
    yield await evaluate();
    initial = evaluated?.metrics;
  }
  try {
    for await (const metrics of parts.train(startStep)) {
      step = metrics.step;
      lossStates = metrics.lossStates;
      tokens += metrics.tokens;
      trainingMs += metrics.elapsedMs;
      await run.appendMetrics(metrics);
      yield { type: "step", metrics, steps };
      for (const warning of watch(metrics)) {
        await run.appendMetrics(warning);
        yield { type: "warning", warning };
      }
      if (isDue(step, config.evaluation.every)) yield await evaluate();
      if (isDue(step, config.checkpoint.every)) yield await save();
      if (signal?.aborted) break;
    }
  } catch (error) {
    // A user error, such as a teacher's, comes before the step changes anything.
    const isGood = error instanceof PupilError && !(error instanceof NotFiniteError);
    if (isGood && step > startStep && saved !== step) yield await save();
    throw withLastCheckpoint(
      error,
      step,
      saved === undefined ? undefined : run.checkpointPath(saved),
    );
  }
  const stopped = step < steps;
  if (!stopped && evaluated?.step !== step) yield await evaluate();
  if (saved !== step) yield await save();

  const summary: RunSummary = {
    name: config.name,
    steps: step,
    ...(initial === undefined ? {} : { initial }),
    final: evaluated?.metrics ?? {},
    parameters: parts.student.numParameters,
    trainedParameters: numTrained(parts),
    tokens,
    tokensPerSecond: trainingMs === 0 ? 0 : (tokens / trainingMs) * 1000,
    elapsedSeconds: trainingMs / 1000,
    checkpoint: run.checkpointPath(step),
    ...(parts.dataReport === undefined ? {} : { data: parts.dataReport }),
  };
  if (!stopped) await run.writeSummary(summary);
  yield { type: "finished", summary, stopped };
}

function numTrained({ student }: RunParts): number {
  return [...student.trainableParameters().values()].reduce((sum, { size }) => sum + size, 0);
}

function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}

async function removeOldCheckpoints(run: RunFolder, keep: number): Promise<void> {
  const steps = await checkpointSteps(run.path);
  for (const step of steps.slice(0, -keep)) {
    await rm(run.checkpointPath(step), { recursive: true });
  }
}

/** Says at which step a user error happened and what is left of the run. */
function withLastCheckpoint(error: unknown, step: number, checkpoint: string | undefined): unknown {
  if (!(error instanceof PupilError)) return error;
  const kept =
    checkpoint === undefined
      ? "No checkpoint had been written."
      : `The last good checkpoint is ${checkpoint}.`;
  return new PupilError(`${error.message} ${kept}`, { field: `step ${step + 1}`, cause: error });
}
