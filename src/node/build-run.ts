import {
  byteTokenizerFor,
  characterTokenizerFor,
  type Files,
  filesOf,
  parseConfig,
  type PreparedData,
  prepareData,
  type RunConfig,
} from "../config/index.js";
import type { Tokenizer } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import { type LossState, lossTermFromConfig } from "../losses/index.js";
import { type Decoder, initializeDecoder, modelConfigSchema } from "../models/index.js";
import { AdamW } from "../optim/index.js";
import { modelTeacher, type Teacher } from "../teachers/index.js";
import { Random } from "../tensors/index.js";
import { checkLoss, distill, evaluateStudent, sft, type StepMetrics } from "../trainers/index.js";
import { findModelFolder } from "./find-model.js";
import { type LoadedModel, loadModelFolder, loadTokenizer } from "./model-folder.js";
import { readText } from "./read-files.js";
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
  train(startStep: number): AsyncGenerator<StepMetrics>;
  evaluate(): Promise<RunEvaluation>;
}

export interface RunEvaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly completions: readonly CompletionRow[];
}

/** A completion as text, as it stands in `completions.jsonl`. */
export interface CompletionRow {
  readonly set: string;
  readonly prompt: string;
  readonly completion: string;
  readonly correct?: boolean;
}

/** Completions per evaluation set that are logged. */
const loggedCompletions = 8;

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
  const loadedTeacher = await loadTeacher(config);
  const teacher = loadedTeacher && own(teacherOf(config, loadedTeacher));
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
    loadedTeacher?.model.config.maxPositions,
    loadedStudent?.model.config.maxPositions ?? config.student.architecture?.maxPositions,
  ].filter((limit) => limit !== undefined);
  const data = prepare(limits.length === 0 ? undefined : Math.min(...limits));
  const student =
    loadedStudent?.model ?? own(freshStudent(config, tokenizer, data, random.stream("weights")));
  checkContext(data, student, teacher === undefined ? undefined : loadedTeacher?.model, config);

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
      ...describeTeacher(loadedTeacher, config),
      ...describeUnknownKeys(loadedStudent, config.student.from),
    ],
    train: trainerOf(config, { student, teacher, tokenizer, optimizer, lossStates, data, random }),
    evaluate: evaluatorOf(config, { student, teacher, tokenizer, data, random }),
  };
}

async function readFiles(paths: readonly string[]): Promise<Files> {
  const entries = paths.map(async (path) => [path, await readText(path, "data file")] as const);
  return new Map(await Promise.all(entries));
}

async function loadTeacher(config: RunConfig): Promise<LoadedModel | undefined> {
  if (config.teacher !== undefined) {
    return loadModelFolder(await findModelFolder(config.teacher.from));
  }
  if (config.trainer.type !== "distill") return undefined;
  throw new PupilError("Distillation needs a teacher.", {
    field: "teacher",
    remedy: 'Add "teacher": { "from": "<model folder>" }.',
  });
}

function teacherOf(config: RunConfig, { model }: LoadedModel): Teacher {
  const { from, topK, samples, sampleTemperature } = config.teacher ?? {};
  return modelTeacher(model, from, {
    ...(topK === undefined ? {} : { topK }),
    ...(samples === undefined ? {} : { samples }),
    ...(sampleTemperature === undefined ? {} : { sampleTemperature }),
  });
}

async function loadStudent(
  config: RunConfig,
  checkpoint: string | undefined,
): Promise<LoadedModel | undefined> {
  if (checkpoint !== undefined) return loadModelFolder(checkpoint);
  const { from } = config.student;
  return from === undefined ? undefined : loadModelFolder(await findModelFolder(from));
}

/** The config's tokenizer, else the teacher's, else the student's, else the data's characters. */
async function chooseTokenizer(
  config: RunConfig,
  files: Files,
  teacher: LoadedModel | undefined,
  student: LoadedModel | undefined,
): Promise<Tokenizer> {
  const chosen = config.tokenizer;
  const makers = {
    character: () => characterTokenizerFor(config.data, files),
    byte: () => byteTokenizerFor(config.data),
    file: ({ path }: { path: string }) => loadTokenizer(path),
  };
  const given = chosen && (await makers[chosen.type](chosen as { type: "file"; path: string }));
  const tokenizer =
    given ?? teacher?.tokenizer ?? student?.tokenizer ?? characterTokenizerFor(config.data, files);
  const others = { teacher: teacher?.tokenizer, student: student?.tokenizer };
  for (const [role, other] of Object.entries(others)) {
    if (other === undefined || other.fingerprint === tokenizer.fingerprint) continue;
    throw new PupilError(
      `The ${role} has another tokenizer (${other.vocabSize} ids) than this run (${tokenizer.vocabSize} ids).`,
      {
        field: role,
        remedy:
          "Token-level distillation needs one tokenizer for both: leave out `tokenizer`, or train the student with the teacher's.",
      },
    );
  }
  return tokenizer;
}

function freshStudent(
  config: RunConfig,
  tokenizer: Tokenizer,
  data: PreparedData,
  random: Random,
): Decoder {
  const options = {
    vocabSize: tokenizer.vocabSize,
    maxPositions: data.positions,
    eosTokenIds: [...tokenizer.endIds],
    padTokenId: tokenizer.endIds.length === 0 ? null : tokenizer.padId,
    ...config.student.architecture,
  };
  const model = parseConfig(modelConfigSchema, options, "student.architecture");
  if (model.vocabSize < tokenizer.vocabSize) {
    throw new PupilError(
      `is ${model.vocabSize}, but the tokenizer has ${tokenizer.vocabSize} ids.`,
      { field: "student.architecture.vocabSize", remedy: "Leave it out, or make it larger." },
    );
  }
  return initializeDecoder(model, random);
}

/** Every row and every sampled completion must fit into the models, before the run starts. */
function checkContext(
  data: PreparedData,
  student: Decoder,
  teacher: Decoder | undefined,
  config: RunConfig,
): void {
  for (const [role, model] of Object.entries({ student, teacher })) {
    const limit = model?.config.maxPositions;
    if (limit === undefined || data.positions <= limit) continue;
    throw new PupilError(
      `The rows need a context of ${data.positions} tokens, the ${role} has ${limit}.`,
      {
        field: config.data.type === "task" ? "data.task" : "data",
        remedy:
          "Shorten the rows (maxLength, sequenceLength, fewer digits or hops), or use a model with a longer context.",
      },
    );
  }
}

interface TrainingParts {
  readonly student: Decoder;
  readonly teacher: Teacher | undefined;
  readonly tokenizer: Tokenizer;
  readonly optimizer: AdamW;
  readonly lossStates: RunParts["lossStates"];
  readonly data: PreparedData;
  readonly random: Random;
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

function evaluatorOf(
  config: RunConfig,
  parts: Omit<TrainingParts, "optimizer" | "lossStates">,
): RunParts["evaluate"] {
  const { student, teacher, tokenizer, data, random } = parts;
  const { batchSize, sampling, maxNewTokens } = config.evaluation;
  return async () => {
    const metrics: Record<string, number> = {};
    const completions: CompletionRow[] = [];
    for (const set of data.evaluation) {
      const result = await evaluateStudent(student, teacher, set, {
        batchSize,
        tokenizer,
        maxNewTokens: maxNewTokens ?? data.maxNewTokens,
        sampling,
        random: random.stream("evaluation"),
      });
      Object.assign(metrics, result.metrics);
      const logged = result.completions.slice(0, loggedCompletions);
      for (const { promptIds, completionIds, ...row } of logged) {
        const prompt = tokenizer.decode(promptIds);
        completions.push({ ...row, prompt, completion: tokenizer.decode(completionIds) });
      }
    }
    return { metrics, completions };
  };
}

function describeTeacher(teacher: LoadedModel | undefined, config: RunConfig): string[] {
  if (teacher === undefined) return [];
  const parameters = teacher.model.numParameters.toLocaleString("en-US");
  return [
    `Teacher: ${parameters} parameters from ${config.teacher?.from}.`,
    ...describeUnknownKeys(teacher, config.teacher?.from),
  ];
}

function describeUnknownKeys(loaded: LoadedModel | undefined, from: string | undefined): string[] {
  const keys = loaded?.unknownKeys ?? [];
  return keys.length === 0
    ? []
    : [`Keys of ${from}/config.json without effect: ${keys.join(", ")}.`];
}
