import {
  AdamW,
  distill,
  initializeDecoder,
  prepareData,
  PupilError,
  Random,
  type RunConfig,
  type StepMetrics,
  type Tokenizer,
} from "pupil";
import { type FolderFiles, type LoadedModel, loadModel } from "pupil/browser";
import {
  byteTokenizerFor,
  characterTokenizerFor,
  completionLengths,
  filesInMemory,
  freshContext,
  freshStudentConfig,
} from "pupil/config";
import { dataFile } from "pupil/data";
import { type LossDefinition, type LossTerm, lossTermFromConfig } from "pupil/losses";
import { contextLength, type Decoder } from "pupil/models";
import { ownDistribution, rolloutToSequence, sampleRollouts } from "pupil/rollouts";
import { layerSizesOf, makeProjections } from "pupil/trainers";
import { lookAt } from "./look.js";
import type { SeenText, StudentFrame, StudentStep } from "./protocol.js";
import { requireRoom } from "./require-room.js";
import { ringPicture } from "./ring.js";
import { textPath } from "./settings.js";
import { connectTeacher } from "./teachers.js";
import { nameTokens } from "./token-names.js";

/** What the config of a student names beside itself. */
export interface Resources {
  readonly text: string;
  readonly ownLosses: readonly LossDefinition[];
  /** Of a teacher that is a model folder; stays the caller's. */
  readonly teacherModel: LoadedModel | undefined;
  /** Of a student that begins as a model folder. */
  readonly startFolder: FolderFiles | undefined;
}

/** Rows that are shown of each kind. */
const shownRows = 3;

/** A student in training. */
export interface TrainedStudent {
  readonly model: Decoder;
  readonly tokenizer: Tokenizer;
  readonly teacherParameters: number | undefined;
  readonly terms: readonly string[];
  readonly notes: readonly string[];
  /** Trains one step; undefined after the last. */
  step(): Promise<StudentStep | undefined>;
  /** How it and its teacher see what it writes now, and rows of the data. */
  look(step: number): Promise<StudentFrame>;
  write(prompt: string, greedy: boolean): Promise<string>;
  /** Ends the training and releases what it holds. */
  release(): Promise<void>;
}

/**
 * A student as `pupil train` would make it of this config, with the same random numbers for the same purposes: step by
 * step what a run on the same engine computes.
 *
 * @throws PupilError for what a page cannot do
 */
export async function makeStudent(
  config: RunConfig,
  resources: Resources,
): Promise<TrainedStudent> {
  const trainer = trainerOf(config);
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(owner: T): T => {
    owned.push(owner);
    return owner;
  };
  const dispose = () => {
    for (const owner of owned.reverse()) owner.dispose();
    owned.length = 0;
  };
  try {
    const { training, ...student } = await assemble(config, trainer, resources, own);
    return {
      ...student,
      async release() {
        // Between two steps it holds what the last one was made of.
        await training.return(undefined);
        dispose();
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

type Distillation = Extract<RunConfig["trainer"], { type: "distill" }>;

/**
 * The trainer of a config.
 *
 * @throws PupilError where it is not one of this page
 */
export function trainerOf({ trainer }: RunConfig): Distillation {
  if (trainer.type !== "distill") {
    throw new PupilError("This page distils.", {
      ...{ field: "trainer.type", value: trainer.type },
      remedy: 'Use "distill": with onPolicyFraction 0 and cross-entropy it is what sft is.',
    });
  }
  if (trainer.replay !== undefined) {
    throw new PupilError("is not for this page.", {
      ...{ field: "trainer.replay", remedy: "Leave it out, or use `pupil train`." },
    });
  }
  return trainer;
}

async function assemble(
  config: RunConfig,
  trainer: Distillation,
  { text, ownLosses, teacherModel, startFolder }: Resources,
  own: <T extends { dispose(): void }>(owner: T) => T,
): Promise<Omit<TrainedStudent, "release"> & { readonly training: AsyncGenerator<StepMetrics> }> {
  if (config.teacher === undefined) {
    throw new PupilError("Distillation needs a teacher.", { field: "teacher" });
  }
  const random = new Random(config.seed);
  const loss = trainer.loss.map((term) => lossTermFromConfig(term, ownLosses));
  const files = filesInMemory([dataFile(textPath, text)]);
  const startModel = startFolder && (await loadModel(startFolder));
  if (startModel !== undefined) own(startModel.model);
  const tokenizer = await tokenizerOf(config, files, teacherModel, startModel);
  const teacherContext = teacherModel && contextLength(teacherModel.model.config);
  const studentContext =
    (startModel && contextLength(startModel.model.config)) ??
    config.student.architecture?.maxPositions;
  const limits = [teacherContext, studentContext].filter((limit) => limit !== undefined);
  const data = await prepareData(config.data, {
    ...{ tokenizer, files, evaluationRows: config.evaluation.rows },
    ...(limits.length > 0 && { maxPositions: Math.min(...limits) }),
    random: new Random(config.seed).stream("data"),
  });
  if (data.dispose !== undefined) own({ dispose: () => data.dispose?.() });
  const shape =
    startModel?.model.config ??
    freshStudentConfig(config, tokenizer, freshContext(config, data, teacherContext));
  requireRoom(shape, {
    rows: Math.ceil(trainer.batchSize / trainer.gradientAccumulationSteps),
    positions: data.positions,
  });
  const student = startModel?.model ?? own(initializeDecoder(shape, random.stream("weights")));
  for (const [role, limit] of Object.entries({
    student: contextLength(student.config),
    teacher: teacherContext,
  })) {
    if (limit === undefined || data.positions <= limit) continue;
    throw new PupilError(
      `The rows need a context of ${data.positions} tokens, the ${role} has ${limit}.`,
      {
        ...{
          field: "data",
          remedy: "Shorten the rows: fewer digits or hops, a shorter sequenceLength.",
        },
      },
    );
  }
  const { teacher, bimodal } = connectTeacher(config.teacher, {
    ...{ tokenizer, student, text, model: teacherModel?.model },
    random: random.stream("teacher"),
  });
  // A teacher that is a model disposes it, and this one is lent.
  if (teacherModel === undefined) own(teacher);
  const sizes = { student: layerSizesOf(student), teacher: teacher.layerSizes };
  const projections = makeProjections(loss, sizes, random.stream("projections"));
  if (projections !== undefined) own(projections);
  const trained = new Map([
    ...student.trainableParameters(),
    ...(projections?.parameters ?? new Map()),
  ]);
  const optimizer = own(new AdamW(trained, trainer.optimizer));
  const maxNewTokens = completionLengths(config, data).training;
  const { learningRate, schedule, warmupSteps, finalLearningRateFraction } = trainer;
  const { steps, batchSize, gradientAccumulationSteps, packing, maxGradNorm } = trainer;
  const { onPolicyFraction, sampling, advantageDiscount } = trainer;
  const training = distill({
    ...{ student, teacher, optimizer, loss, tokenizer, steps, batchSize, maxNewTokens },
    ...{ gradientAccumulationSteps, packing, onPolicyFraction, sampling, advantageDiscount },
    schedule: { learningRate, schedule, warmupSteps, finalLearningRateFraction },
    ...(maxGradNorm === null ? {} : { maxGradNorm }),
    ...(projections && { projections }),
    data: data.training,
    random: random.stream("train"),
  });
  const [set] = data.evaluation;
  const given = (set?.rows ?? []).slice(0, shownRows);
  const prompts = (set?.prompts ?? []).slice(0, shownRows);
  const textOf = nameTokens(tokenizer);
  const { endIds, padId } = tokenizer;
  let last: StepMetrics | undefined;

  const sample = (from: readonly (readonly number[])[], greedy: boolean, purpose: string) =>
    sampleRollouts({
      ...{ model: student, prompts: from, endIds, padId, maxNewTokens },
      maxPositions: teacher.maxPositions,
      policy: { ...ownDistribution, greedy },
      // Of its own stream: looking changes nothing in the training.
      random: random.stream(purpose),
    });

  return {
    training,
    ...{
      model: student,
      tokenizer,
      notes: data.notes,
      terms: trainer.loss.map(({ type }) => type),
    },
    teacherParameters: teacherModel?.model.numParameters,
    async step() {
      const next = await training.next();
      if (next.done === true) return undefined;
      last = next.value;
      return stepOf(last);
    },
    async look(step) {
      const looking = {
        ...{ student, teacher, tokenizer, loss, textOf, progress: step / steps },
        stateOf: (term: LossTerm) => last?.lossStates?.[term.definition.name],
      };
      const texts: SeenText[] = [];
      const rollouts = await sample(prompts, false, "look");
      for (const [i, rollout] of rollouts.entries()) {
        const row = rolloutToSequence(rollout, given[i]);
        const tokens = await lookAt(looking, row, true);
        const correct = set?.verify?.(i, rollout.completionIds);
        const prompt = promptText(rollout.promptIds, textOf);
        const verdict = correct === undefined ? {} : { correct };
        texts.push({ by: "student", prompt, tokens, ...verdict });
      }
      for (const row of given) {
        const prompt = promptText(row.ids.slice(0, row.completionStart), textOf);
        texts.push({ by: "data", prompt, tokens: await lookAt(looking, row, false) });
      }
      const ring = bimodal && (await ringPicture(student, bimodal));
      return { texts, ...(ring && { ring }) };
    },
    async write(prompt, greedy) {
      const ids = [...tokenizer.startIds, ...tokenizer.encode(prompt)];
      const [rollout] = await sample([ids], greedy, "write");
      return tokenizer.decode(rollout?.completionIds ?? []);
    },
  };
}

async function tokenizerOf(
  config: RunConfig,
  files: ReturnType<typeof filesInMemory>,
  teacher: LoadedModel | undefined,
  student: LoadedModel | undefined,
): Promise<Tokenizer> {
  const { data, tokenizer: chosen } = config;
  const makers = {
    character: (characters: string) => characterTokenizerFor(data, files, { characters }),
    byte: () => byteTokenizerFor(data),
  };
  if (chosen?.type === "file") {
    throw new PupilError("is not for this page: there are no files.", {
      ...{ field: "tokenizer.path", value: chosen.path, remedy: "Use characters or bytes." },
    });
  }
  const given =
    chosen?.type === "character"
      ? await makers.character(chosen.characters)
      : chosen?.type === "byte"
        ? makers.byte()
        : undefined;
  const tokenizer =
    given ?? teacher?.tokenizer ?? student?.tokenizer ?? (await makers.character(""));
  for (const [role, other] of Object.entries({ teacher, student })) {
    if (other === undefined || other.tokenizer.fingerprint === tokenizer.fingerprint) continue;
    throw new PupilError(
      `The ${role} has another tokenizer (${other.tokenizer.vocabSize} ids) than this run (${tokenizer.vocabSize} ids).`,
      { field: role, remedy: "Leave out `tokenizer`, or take another teacher." },
    );
  }
  return tokenizer;
}

const promptText = (ids: readonly number[], textOf: (id: number) => string) =>
  ids.map(textOf).join("");

function stepOf(metrics: StepMetrics): StudentStep {
  const { loss, diagnostics, gradNorm, tokens, elapsedMs } = metrics;
  const { forwardKl, reverseKl, studentEntropy, teacherEntropy } = diagnostics;
  return {
    ...{ loss, forwardKl, reverseKl, studentEntropy, teacherEntropy },
    ...{ gradNorm, tokens, elapsedMs },
  };
}
