import { relative } from "node:path";
import { DeviceError, NotFiniteError, PupilError } from "../../../errors/index.js";
import type { FileContent } from "../../../folders/index.js";
import type { LossState } from "../../../losses/index.js";
import type { Decoder } from "../../../models/index.js";
import { flatMetrics, type StepMetrics, type TrainingWarning } from "../../../trainers/index.js";
import { removeFolderAtomic, writeFolderAtomic } from "../../files/atomic.js";
import { DiskError } from "../../files/disk.js";
import { exists } from "../../files/file-exists.js";
import { withMark } from "../../models/checkpoint-mark.js";
import type { RunEvaluation } from "../run-evaluation.js";
import type { RunEvent, RunSummary } from "./run-event.js";
import { checkpointSteps, type RunFolder } from "../folder/run-folder.js";
import type { RunHistory } from "../folder/run-history.js";

/** What a loop trains: made from a config by `trainRun`, or by hand for `runLoop`. */
export interface LoopParts {
  readonly steps: number;
  /** Steps between evaluations; 0: at the end only. */
  readonly evaluateEvery: number;
  /** Steps between checkpoints (0: at the end only), and how many are kept. */
  readonly checkpoint: { readonly every: number; readonly keep: number };
  /** What losses had remembered at the checkpoint. */
  readonly lossStates: LossStateRecord | undefined;
  train(startStep: number): AsyncIterable<StepMetrics>;
  /** Absent where nothing is measured. */
  evaluate?(): Promise<RunEvaluation>;
  /** Of a checkpoint after `step` steps. */
  files(
    step: number,
    lossStates: LossStateRecord | undefined,
  ): Promise<ReadonlyMap<string, FileContent>>;
  /** What the summary says beside what the log does. */
  readonly summary: Pick<RunSummary, "name" | "parameters" | "trainedParameters" | "data">;
}

type LossStateRecord = Readonly<Record<string, LossState>>;

interface Progress {
  readonly run: RunFolder;
  readonly history: RunHistory;
  readonly startStep: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Trains in an open run folder: logs every step, evaluates and saves when due, and ends with a checkpoint, also
 * where it cannot go on, unless its values are not finite, the disk takes no more or the device is lost.
 */
export async function* trainLoop(
  parts: LoopParts,
  { run, history, startStep, signal }: Progress,
): AsyncGenerator<RunEvent> {
  const { steps, evaluateEvery, checkpoint } = parts;
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
    if (parts.evaluate === undefined) return;
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
    (step === steps || isDue(step, evaluateEvery)) && history.last?.step !== step;
  const save = async (): Promise<RunEvent> => {
    const target = run.checkpointPath(step);
    await run.syncLogs();
    const files = new Map(await parts.files(step, lossStates));
    await writeFolderAtomic(target, withMark(files));
    saved = step;
    await run.log({ type: "checkpoint", step, path: relative(run.path, target) });
    await removeOldCheckpoints(run, checkpoint.keep);
    return { type: "checkpoint", step, path: target };
  };
  const isSaveDue = () => step === steps || isDue(step, checkpoint.every);

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
    await removeOldCheckpoints(run, checkpoint.keep);
  } catch (error) {
    // A user error, such as a teacher's, comes before the step changes anything.
    const losses = [NotFiniteError, DiskError, DeviceError];
    const isGood = error instanceof PupilError && !losses.some((loss) => error instanceof loss);
    let failure: unknown = error;
    try {
      if (isGood && canSave && step > startStep && saved !== step) yield await save();
    } catch (another) {
      const both = `${(error as Error).message} It could not be saved: ${(another as Error).message}`;
      failure = another instanceof PupilError ? new PupilError(both, { cause: another }) : another;
    }
    throw await withLastCheckpoint(failure, step, saved, run);
  }
  const summary = summaryOf(parts, history, step, run.checkpointPath(step));
  const stopped = step < steps;
  if (!stopped) await run.writeSummary(summary);
  yield { type: "finished", summary, stopped };
}

/** Steps of a training until someone wants it to end. */
async function* untilAborted(
  steps: AsyncIterable<StepMetrics>,
  signal: AbortSignal | undefined,
): AsyncGenerator<StepMetrics> {
  if (signal?.aborted) return;
  for await (const metrics of steps) {
    yield metrics;
    if (signal?.aborted && metrics.isMidRollout !== true) return;
  }
}

function summaryOf(
  { summary: { data, ...known } }: LoopParts,
  { tokens, cost, trainingMs, initial, last, diverged }: RunHistory,
  step: number,
  checkpoint: string,
): RunSummary {
  return {
    ...known,
    steps: step,
    ...(initial === undefined ? {} : { initial: initial.metrics }),
    final: last?.metrics ?? {},
    diverged,
    tokens,
    cost,
    tokensPerSecond: trainingMs === 0 ? 0 : (tokens / trainingMs) * 1000,
    elapsedSeconds: trainingMs / 1000,
    checkpoint,
    ...(data === undefined ? {} : { data }),
  };
}

/** How many parameters training changes, an adapter's alone where there is one. */
export function numTrained(model: Pick<Decoder, "trainableParameters">): number {
  return [...model.trainableParameters().values()].reduce((sum, { size }) => sum + size, 0);
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
