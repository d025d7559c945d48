import { type Files, filesOf, prepareData, type RunConfig } from "../config/index.js";
import type { Tokenizer } from "../data/index.js";
import { type LossDefinition, type LossState, lossTermFromConfig } from "../losses/index.js";
import type { Decoder } from "../models/index.js";
import { AdamW } from "../optim/index.js";
import type { Teacher } from "../teachers/index.js";
import { Random } from "../tensors/index.js";
import { checkLoss, distill, sft, type StepMetrics } from "../trainers/index.js";
import { describeUnknownKeys } from "./model-folder.js";
import { readText } from "./read-files.js";
import { loadRunLosses } from "./run-losses.js";
import { type EvaluatedParts, evaluatorOf, type RunEvaluation } from "./run-evaluation.js";
import {
  checkContext,
  chooseTokenizer,
  freshStudent,
  loadRunTeacher,
  loadStudent,
} from "./run-models.js";
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
  const loadedTeacher = await loadRunTeacher(config);
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
    loadedStudent?.model.config.maxPositions ?? config.student.architecture?.maxPositions,
  ].filter((limit) => limit !== undefined);
  const data = prepare(limits.length === 0 ? undefined : Math.min(...limits));
  const student =
    loadedStudent?.model ?? own(freshStudent(config, tokenizer, data, random.stream("weights")));
  const contexts = {
    student: student.config.maxPositions,
    teacher: loadedTeacher?.maxPositions,
  };
  checkContext(data, contexts, config);
  const teacher =
    loadedTeacher &&
    own(await loadedTeacher.connect({ tokenizer, student, random: random.stream("teacher") }));

  const optimizer = own(new AdamW(student.parameters, config.trainer.optimizer));
  const lossStates =
    checkpoint === undefined
      ? undefined
      : await restoreTrainingState(checkpoint, optimizer, teacher?.state);
  return {
    student,
    teacher,
    tokenizer,
    optimizer,
    lossStates,
    notes: [
      ...data.notes,
      `Student: ${student.numParameters.toLocaleString("en-US")} parameters.`,
      ...(loadedTeacher?.notes ?? []),
      ...describeUnknownKeys(loadedStudent, config.student.from),
    ],
    train: trainerOf(config, await loadRunLosses(config.losses), {
      student,
      teacher,
      tokenizer,
      optimizer,
      lossStates,
      data,
      random,
    }),
    evaluate: evaluatorOf(config, { student, teacher, tokenizer, data, random }),
  };
}

async function readFiles(paths: readonly string[]): Promise<Files> {
  const entries = paths.map(async (path) => [path, await readText(path, "data file")] as const);
  return new Map(await Promise.all(entries));
}

interface TrainingParts extends EvaluatedParts {
  readonly optimizer: AdamW;
  readonly lossStates: RunParts["lossStates"];
}

function trainerOf(
  config: RunConfig,
  ownLosses: readonly LossDefinition[],
  parts: TrainingParts,
): RunParts["train"] {
  const { student, teacher, tokenizer, optimizer, lossStates, data, random } = parts;
  const { trainer } = config;
  const { maxGradNorm, gradientAccumulationSteps, packing } = trainer;
  const loss = trainer.loss.map((term) => lossTermFromConfig(term, ownLosses));
  // The trainers check this too, but only once the run has begun.
  checkLoss(loss, {
    studentVocabSize: student.config.vocabSize,
    ...(teacher === undefined || trainer.type === "sft" ? {} : { teacher }),
    onPolicyFraction: trainer.type === "sft" ? 0 : trainer.onPolicyFraction,
    ...{ gradientAccumulationSteps, packing },
    ...(trainer.type === "sft" ? {} : { advantageDiscount: trainer.advantageDiscount }),
  });
  const common = {
    student,
    data: data.training,
    optimizer,
    loss,
    ...(lossStates === undefined ? {} : { lossStates }),
    schedule: trainer,
    steps: trainer.steps,
    batchSize: trainer.batchSize,
    ...{ gradientAccumulationSteps, packing },
    ...(maxGradNorm === null ? {} : { maxGradNorm }),
    tokenizer,
  };
  if (trainer.type === "sft") return (startStep) => sft({ ...common, startStep });
  if (teacher === undefined) throw new Error("A distillation run was built without a teacher.");
  return (startStep) =>
    distill({
      ...common,
      startStep,
      teacher,
      onPolicyFraction: trainer.onPolicyFraction,
      sampling: trainer.sampling,
      advantageDiscount: trainer.advantageDiscount,
      maxNewTokens: trainer.maxNewTokens ?? data.maxNewTokens,
      random: random.stream("train"),
    });
}
