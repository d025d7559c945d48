import { basename, join } from "node:path";
import type { Tokenizer } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import { modelFiles } from "../../../folders/index.js";
import type { LossState } from "../../../losses/index.js";
import type { Decoder } from "../../../models/index.js";
import { AdamW, type AdamWOptions } from "../../../optim/index.js";
import type { StepMetrics } from "../../../trainers/index.js";
import { exists } from "../../files/file-exists.js";
import { toJson } from "../../files/json.js";
import { loadModelFolder } from "../../models/model-folder.js";
import { differences } from "../folder/differences.js";
import type { RunEvent } from "./run-event.js";
import {
  createRunFolder,
  openRunFolder,
  readRunConfig,
  withoutVersions,
} from "../folder/run-folder.js";
import type { Metrics } from "../folder/run-history.js";
import { type LoopParts, numTrained, trainLoop } from "./train-loop.js";
import {
  executorNotes,
  restoreTrainingState,
  trainingStateFiles,
} from "../folder/training-state.js";
import { versions } from "../folder/versions.js";

/** What a trainer of one's own is given: the student and optimizer as they were after `startStep` steps. */
export interface LoopRun {
  readonly student: Decoder;
  readonly optimizer: AdamW;
  readonly startStep: number;
  /** Of the last step's metrics, where a run continues. */
  readonly lossStates?: Readonly<Record<string, LossState>>;
}

/** A loop of one's own in a run folder. */
export interface RunLoopOptions {
  /** Run folder: made where there is none, else continued from its last checkpoint. */
  readonly path: string;
  /** Whatever decides the numbers, as JSON: a run continues under the settings that it began with alone. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tokenizer: Tokenizer;
  /** Makes the student of a new run. The loop disposes it. */
  readonly student: () => Decoder | Promise<Decoder>;
  readonly optimizer?: AdamWOptions;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  /** The trainer: one of pupil's, or any async generator that yields metrics after every step. */
  readonly train: (run: LoopRun) => AsyncIterable<StepMetrics>;
  /** Measures for the log. Default: none. */
  readonly evaluate?: (run: Pick<LoopRun, "student">) => Promise<Metrics>;
  /** Default: at the end only. */
  readonly evaluateEvery?: number;
  /** Default: at the end only, and where the loop is stopped. */
  readonly checkpointEvery?: number;
  /** Checkpoints that are kept. Default: 1. */
  readonly keep?: number;
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains by a loop of one's own in a run folder like those of `pupil train`: `metrics.jsonl`, checkpoints that a
 * kill at any moment leaves whole, a summary. Called again after it was stopped, it continues exactly; that takes a
 * trainer whose rows and random numbers are functions of the step, as pupil's are. Needs a started backend.
 *
 * @throws PupilError if the run began with other settings, or another process trains in the folder
 */
export async function* runLoop(options: RunLoopOptions): AsyncGenerator<RunEvent> {
  const { path, settings, tokenizer, steps, evaluate, signal } = options;
  const isNew = !(await exists(join(path, "config.json")));
  if (!isNew) await requireSameSettings(path, settings);
  const opened = isNew
    ? {
        run: await createRunFolder(path, { ...settings, versions: versions() }),
        step: 0,
        notes: [],
      }
    : await openRunFolder(path);
  const { run, step } = opened;
  try {
    const checkpoint = step > 0 ? run.checkpointPath(step) : undefined;
    const { model: student } =
      checkpoint === undefined
        ? { model: await options.student() }
        : await loadModelFolder(checkpoint);
    using _student = student;
    using optimizer = new AdamW(student.trainableParameters(), options.optimizer);
    const nothing = { teacher: undefined, projections: undefined };
    const lossStates =
      checkpoint === undefined
        ? undefined
        : await restoreTrainingState(checkpoint, optimizer, nothing);
    const notes = [
      ...opened.notes,
      ...(checkpoint === undefined ? [] : await executorNotes(checkpoint)),
    ];
    const history = await run.goBackTo(step);
    if (!isNew) await run.log({ type: "resume", step });
    yield isNew ? { type: "started", path, notes } : { type: "resumed", path, step, notes };
    const parts: LoopParts = {
      steps,
      evaluateEvery: options.evaluateEvery ?? 0,
      checkpoint: { every: options.checkpointEvery ?? 0, keep: options.keep ?? 1 },
      lossStates,
      train: (startStep) =>
        options.train({ student, optimizer, startStep, ...(lossStates && { lossStates }) }),
      ...(evaluate && {
        evaluate: async () => ({
          metrics: await evaluate({ student }),
          ...{ completions: [], traces: [], correct: {} },
        }),
      }),
      files: async (at, states) =>
        new Map([
          ...(await modelFiles(student, tokenizer)),
          ...(await trainingStateFiles(at, optimizer, states, nothing)),
        ]),
      summary: {
        name: basename(path),
        parameters: student.numParameters,
        trainedParameters: numTrained(student),
      },
    };
    yield* trainLoop(parts, { run, history, startStep: step, signal });
  } finally {
    await run.close();
  }
}

async function requireSameSettings(path: string, settings: object): Promise<void> {
  // As JSON has them, which is how they were written.
  const given = JSON.parse(toJson(settings)) as unknown;
  const changed = differences(withoutVersions(await readRunConfig(path)), given);
  if (changed.length === 0) return;
  throw new PupilError(`The run began with another ${changed.join(", ")}.`, {
    field: path,
    remedy: "Leave the settings as they were, or name another folder.",
  });
}
