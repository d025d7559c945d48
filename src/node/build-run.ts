import type { RunConfig } from "../config/index.js";
import type { Tokenizer } from "../data/index.js";
import { type LossState, lossTermFromConfig } from "../losses/index.js";
import type { Decoder } from "../models/index.js";
import { AdamW } from "../optim/index.js";
import { checkLoss, checkRows, distill, sft, type StepMetrics } from "../trainers/index.js";
import { assembleModels, type Own, owning } from "./assemble-models.js";
import { describeUnknownKeys } from "./model-folder.js";
import { type EvaluatedParts, evaluatorOf, type RunEvaluation } from "./run-evaluation.js";
import { restoreTrainingState } from "./training-state.js";

/** The parts of a run, ready to train. Owns the models and the optimizer. */
export interface RunParts extends Disposable {
  readonly student: Decoder;
  readonly tokenizer: Tokenizer;
  readonly optimizer: AdamW;
  /** What losses had remembered at the checkpoint; undefined for a new run. */
  readonly lossStates: Readonly<Record<string, LossState>> | undefined;
  /** What to tell the user before the run starts. */
  readonly notes: readonly string[];
  /** Refuses training rows that the teacher cannot score; to be called before a run starts. */
  checkData(): Promise<void>;
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
  return owning((own) => assemble(config, checkpoint, own));
}

async function assemble(
  config: RunConfig,
  checkpoint: string | undefined,
  own: Own,
): Promise<Omit<RunParts, typeof Symbol.dispose>> {
  const models = await assembleModels(config, checkpoint, own);
  const { random, tokenizer, data, student, loadedStudent, teacher, loadedTeacher } = models;
  const optimizer = own(new AdamW(student.parameters, config.trainer.optimizer));
  const lossStates =
    checkpoint === undefined ? undefined : await restoreTrainingState(checkpoint, optimizer);
  return {
    student,
    tokenizer,
    optimizer,
    lossStates,
    notes: [
      ...data.notes,
      `Student: ${student.numParameters.toLocaleString("en-US")} parameters.`,
      ...(loadedTeacher?.notes ?? []),
      ...describeUnknownKeys(loadedStudent, config.student.from),
    ],
    checkData: async () => {
      if (teacher === undefined || config.trainer.type === "sft") return;
      await checkRows(teacher, data.training, config.trainer);
    },
    train: trainerOf(config, { student, teacher, tokenizer, optimizer, lossStates, data, random }),
    evaluate: evaluatorOf(config, { student, teacher, tokenizer, data, random }),
  };
}

interface TrainingParts extends EvaluatedParts {
  readonly optimizer: AdamW;
  readonly lossStates: RunParts["lossStates"];
}

function trainerOf(config: RunConfig, parts: TrainingParts): RunParts["train"] {
  const { student, teacher, tokenizer, optimizer, lossStates, data, random } = parts;
  const { trainer } = config;
  const { maxGradNorm, gradientAccumulationSteps } = trainer;
  const loss = trainer.loss.map(lossTermFromConfig);
  // The trainers check this too, but only once the run has begun.
  checkLoss(loss, {
    studentVocabSize: student.config.vocabSize,
    ...(teacher === undefined || trainer.type === "sft" ? {} : { teacher }),
    onPolicyFraction: trainer.type === "sft" ? 0 : trainer.onPolicyFraction,
    gradientAccumulationSteps,
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
    gradientAccumulationSteps,
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
