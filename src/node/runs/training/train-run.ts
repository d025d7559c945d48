import type { RunConfig } from "../../../config/index.js";
import { requireObject, requireText } from "../../../errors/index.js";
import { modelFiles } from "../../../folders/index.js";
import { rankerFiles } from "../../models/ranker-folder.js";
import { type RunParts, buildRun, checkedConfig } from "./build-run.js";
import { describeOtherData } from "../folder/data-fingerprint.js";
import { differences } from "../folder/differences.js";
import { describeSchedule } from "../folder/longer-schedule.js";
import {
  createRunFolder,
  openRunFolder,
  readRunConfig,
  refuseExistingRun,
  type RunFolder,
  withoutVersions,
} from "../folder/run-folder.js";
import type { RunEvent } from "./run-event.js";
import type { RunHistory } from "../folder/run-history.js";
import { checkTeacher, manifestFiles } from "../models/run-teacher.js";
import { executorNotes, replayFiles, trainingStateFiles } from "../folder/training-state.js";
import { type LoopParts, numTrained, trainLoop } from "./train-loop.js";
import { versions } from "../folder/versions.js";

export interface TrainRunOptions {
  /** As a config file has it, or with all of its defaults. */
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
 * @throws PupilError for what is wrong with the options or the config, and if another process trains in the same folder
 */
export async function* trainRun(options: TrainRunOptions): AsyncGenerator<RunEvent> {
  requireObject(options, {
    ...{ field: "trainRun", remedy: "Use: trainRun({ config, path, resume: false })." },
  });
  const { path, resume, signal } = options;
  requireText(path, {
    ...{ field: "trainRun: path", remedy: 'Name the folder of the run: "runs/mine".' },
  });
  const config = await checkedConfig(options.config, "trainRun: config");
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
    yield* trainLoop(loopOf(config, parts), { run, history, startStep: step, signal });
  } finally {
    await run?.close();
  }
}

/** Stores what was changed of a run that continues; says what that does to the steps to come. */
async function settleConfig(run: RunFolder, config: RunConfig, step: number): Promise<string[]> {
  const stored = (await readRunConfig(run.path)) as unknown as RunConfig & { versions?: object };
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

/** The parts of a run as the loop needs them. */
function loopOf(config: RunConfig, parts: RunParts): LoopParts {
  const { trainer, evaluation, checkpoint } = config;
  const { optimizer, teacher, projections } = parts;
  const { ranker, student, tokenizer, dataReport } = parts;
  return {
    steps: trainer.steps,
    evaluateEvery: evaluation.every,
    checkpoint,
    lossStates: parts.lossStates,
    train: (startStep) => parts.train(startStep),
    evaluate: () => parts.evaluate(),
    files: async (step, lossStates) => {
      const learned = { teacher: teacher?.state, projections: projections?.state };
      const state = await trainingStateFiles(step, optimizer, lossStates, learned);
      return new Map([
        ...(await (ranker === undefined
          ? modelFiles(student, tokenizer)
          : rankerFiles(ranker, tokenizer))),
        ...manifestFiles(parts.teacherManifest),
        ...replayFiles(parts.replay),
        ...state,
      ]);
    },
    summary: {
      name: config.name,
      parameters: (ranker ?? student).numParameters,
      trainedParameters: numTrained(ranker ?? student),
      ...(dataReport === undefined ? {} : { data: dataReport }),
    },
  };
}
