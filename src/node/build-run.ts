import { type Files, filesOf, prepareData, type RunConfig } from "../config/index.js";
import type { Tokenizer } from "../data/index.js";
import { type LossState, lossTermFromConfig } from "../losses/index.js";
import { contextLength, type Decoder } from "../models/index.js";
import { AdamW } from "../optim/index.js";
import type { Teacher } from "../teachers/index.js";
import { Random } from "../tensors/index.js";
import type { StepMetrics } from "../trainers/index.js";
import { describeUnknownKeys } from "./model-folder.js";
import { readText } from "./read-files.js";
import { evaluatorOf, type RunEvaluation } from "./run-evaluation.js";
import { loadRunLosses } from "./run-losses.js";
import {
  addStudentAdapter,
  checkContext,
  chooseTokenizer,
  describeStudent,
  freshStudent,
  loadRunTeacher,
  loadStudent,
} from "./run-models.js";
import { trainerOf } from "./run-trainer.js";
import { restoreTrainingState } from "./training-state.js";

/** The parts of a run, ready to train. Owns the models and the optimizer. */
export interface RunParts extends Disposable {
  readonly student: Decoder;
  readonly teacher: Teacher | undefined;
  readonly tokenizer: Tokenizer;
  readonly optimizer: AdamW;
  /** What losses had remembered at the checkpoint; undefined for a new run. */
  readonly lossStates: Readonly<Record<string, LossState>> | undefined;
  /** What to tell the user before the run starts. */
  readonly notes: readonly string[];
  train(startStep: number): AsyncGenerator<StepMetrics>;
  evaluate(): Promise<RunEvaluation>;
}

/**
 * Builds everything a config names; with a checkpoint folder, the student and optimizer as saved
 * there. Whatever was loaded is released again if a later part fails.
 */
export async function buildRun(
  config: RunConfig,
  checkpoint: string | undefined,
): Promise<RunParts> {
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(owner: T): T => {
    owned.push(owner);
    return owner;
  };
  const dispose = () => {
    for (const owner of owned.reverse()) owner.dispose();
  };
  try {
    const parts = await assemble(config, checkpoint, own);
    return { ...parts, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

type Own = <T extends { dispose(): void }>(owner: T) => T;

async function assemble(
  config: RunConfig,
  checkpoint: string | undefined,
  own: Own,
): Promise<Omit<RunParts, typeof Symbol.dispose>> {
  const random = new Random(config.seed);
  const files = await readFiles(filesOf(config.data));
  const ownLosses = await loadRunLosses(config.losses);
  const loss = config.trainer.loss.map((term) => lossTermFromConfig(term, ownLosses));
  const loadedTeacher = await loadRunTeacher(config, loss);
  if (loadedTeacher !== undefined) own(loadedTeacher);
  const loadedStudent = await loadStudent(config, checkpoint);
  if (loadedStudent !== undefined) own(loadedStudent.model);
  const tokenizer = await chooseTokenizer(config, files, loadedTeacher, loadedStudent);

  const prepare = (maxPositions: number | undefined) =>
    prepareData(config.data, {
      tokenizer,
      files,
      maxPositions,
      evaluationRows: config.evaluation.rows,
      random: random.stream("data"),
    });
  const limits = [
    loadedTeacher?.maxPositions,
    loadedStudent
      ? contextLength(loadedStudent.model.config)
      : config.student.architecture?.maxPositions,
  ].filter((limit) => limit !== undefined);
  const data = prepare(limits.length === 0 ? undefined : Math.min(...limits));
  const student =
    loadedStudent?.model ?? own(freshStudent(config, tokenizer, data, random.stream("weights")));
  await addStudentAdapter(student, config, checkpoint, random.stream("weights"));
  const contexts = {
    student: contextLength(student.config),
    teacher: loadedTeacher?.maxPositions,
  };
  checkContext(data, contexts, config);
  const teacher =
    loadedTeacher &&
    own(await loadedTeacher.connect({ tokenizer, student, random: random.stream("teacher") }));

  const optimizer = own(new AdamW(student.trainableParameters(), config.trainer.optimizer));
  const lossStates =
    checkpoint === undefined
      ? undefined
      : await restoreTrainingState(checkpoint, optimizer, teacher?.state);
  const parts = { student, teacher, tokenizer, data, random };
  return {
    student,
    teacher,
    tokenizer,
    optimizer,
    lossStates,
    notes: [
      ...data.notes,
      describeStudent(student),
      ...(loadedTeacher?.notes ?? []),
      ...describeUnknownKeys(loadedStudent, config.student.from),
    ],
    train: trainerOf(config, { ...parts, tokenizer, optimizer, loss, lossStates }),
    evaluate: evaluatorOf(config, parts),
  };
}

async function readFiles(paths: readonly string[]): Promise<Files> {
  const entries = paths.map(async (path) => [path, await readText(path, "data file")] as const);
  return new Map(await Promise.all(entries));
}
