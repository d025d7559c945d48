import { completionLengths, type RunConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import type { LossState, LossTerm } from "../../../losses/index.js";
import type { AdamW } from "../../../optim/index.js";
import {
  findSampler,
  type Replay,
  rewardTermFromConfig,
  type SamplerDefinition,
} from "../../../rollouts/index.js";
import {
  checkLoss,
  checkReinforce,
  checkReplay,
  completedRows,
  distill,
  evaluateLoss,
  layerSizesOf,
  type LossSupply,
  pairs,
  type Projections,
  rank,
  reinforce,
  replayedFraction,
  sft,
  type StepMetrics,
  type StepTerm,
} from "../../../trainers/index.js";
import type { Teacher } from "../../../teachers/index.js";
import type { EvaluatedParts } from "../run-evaluation.js";

interface TrainingParts extends EvaluatedParts {
  readonly loss: readonly LossTerm[];
  readonly optimizer: AdamW;
  readonly lossStates: Readonly<Record<string, LossState>> | undefined;
  readonly projections: Projections | undefined;
  readonly replay: Replay | undefined;
  readonly reference: Teacher | undefined;
}

/** Starts a training after `startStep` steps. */
type Train = (startStep: number) => AsyncGenerator<StepMetrics>;

/** What a trainer offers to its losses, and how it is started. */
interface RunTrainer {
  readonly supply:
    | Omit<LossSupply, "studentVocabSize" | "studentLayers" | "gradientAccumulationSteps">
    /** Its losses are checked already. */
    | undefined;
  readonly train: Train;
}

type Trainer = RunConfig["trainer"];
type Maker<T> = (
  trainer: T,
  common: ReturnType<typeof commonOptions>,
  parts: TrainingParts,
  config: RunConfig,
) => RunTrainer;

const makers: { [T in Trainer as T["type"]]: Maker<T> } = {
  sft: ({ packing }, common, { data }) => {
    checkCompletions(
      data,
      "sft learns completions",
      'Use the "distill" trainer, whose students write them.',
    );
    return {
      supply: { onPolicyFraction: 0, packing },
      train: (startStep) => sft({ ...common, data: data.training, packing, startStep }),
    };
  },
  distill: (trainer, common, parts, config) => {
    const { data, teacher, random, projections, replay } = parts;
    const { onPolicyFraction, packing, sampling, advantageDiscount } = trainer;
    if (teacher === undefined) throw new Error("A distillation run was built without a teacher.");
    if (replay !== undefined) {
      checkReplay(replay, trainer);
      checkCompletions(data, "with trainer.replay rows of the data are learned", "Leave it out.");
    }
    if (onPolicyFraction < 1) {
      const wants = `with trainer.onPolicyFraction ${onPolicyFraction} rows of the data are learned`;
      checkCompletions(data, wants, "Set trainer.onPolicyFraction to 1.");
    }
    const options = {
      ...{ teacher, onPolicyFraction, packing, sampling, advantageDiscount },
      ...(replay && { replay: { replay, validationLoss: validationOf(parts, config) } }),
    };
    return {
      supply: {
        ...{ teacher, packing, advantageDiscount },
        onPolicyFraction: replay === undefined ? onPolicyFraction : replayedFraction,
        hasReplay: replay !== undefined,
      },
      train: (startStep) =>
        distill({
          ...{ ...common, ...options, startStep },
          ...(projections && { projections }),
          data: data.training,
          maxNewTokens: completionLengths(config, data).training,
          random: random.stream("train"),
        }),
    };
  },
  reinforce: (
    trainer,
    common,
    { data, teacher, reference, ownRewards, student, random },
    config,
  ) => {
    const { problems } = data;
    if (problems === undefined) {
      throw new PupilError(
        "The data has no problems whose answers can be verified, which reinforce learns from.",
        { field: "data", remedy: "Use a task, or rows with answers and a verifier." },
      );
    }
    const { updatesPerRollout, minibatches, packing, combine, advantage, sampling } = trainer;
    const { type, ...samplerConfig } = trainer.sampler;
    const definition = findSampler(type) as unknown as SamplerDefinition;
    const rewards = trainer.rewards.map((term) => rewardTermFromConfig(term, ownRewards));
    const shared = { updatesPerRollout, minibatches, packing, combine, advantage, rewards };
    const loss = common.loss as readonly StepTerm[];
    const { steps, gradientAccumulationSteps } = common;
    checkReinforce({
      ...{ ...shared, loss, steps, gradientAccumulationSteps, teacher, reference },
      writer: teacher?.model,
      studentVocabSize: student.config.vocabSize,
      startStep: 0,
      source: problems.source,
      sampler: definition,
      samplerConfig,
    });
    return {
      supply: undefined,
      train: (startStep) =>
        reinforce({
          ...{ ...common, ...shared, loss, problems, sampling, startStep },
          ...(teacher && { teacher }),
          ...(teacher?.model && { writer: teacher.model }),
          ...(reference && { reference }),
          sampler: { definition, config: samplerConfig },
          maxNewTokens: completionLengths(config, data).training,
          random: random.stream("train"),
        }),
    };
  },
  pairs: (_trainer, common, { data, teacher, random }) => {
    if (data.pairs === undefined) {
      throw new PupilError(
        "The data has no pairs of answers, which the pairs trainer learns from.",
        {
          field: "data",
          remedy: 'Use rows with two answers (data.type "pairs") or a task.',
        },
      );
    }
    const options = { data: data.pairs, ...(teacher === undefined ? {} : { reference: teacher }) };
    return {
      supply: { onPolicyFraction: 0, pairs: true, ...(teacher === undefined ? {} : { teacher }) },
      train: (startStep) =>
        pairs({ ...common, ...options, startStep, random: random.stream("train") }),
    };
  },
  rank: ({ candidates }, common, { data, ranker, listTeacher, random }) => {
    if (ranker === undefined) throw new Error("A run that ranks was built without a head.");
    if (data.ranking === undefined) {
      throw new PupilError("The data has no lists of candidates, which the rank trainer scores.", {
        field: "data",
        remedy: 'Use TREC files (data.type "rerank") or the task "rerank".',
      });
    }
    const options = {
      ...{ student: ranker, data: data.ranking },
      ...(listTeacher === undefined ? {} : { teacher: listTeacher }),
      ...(candidates === undefined ? {} : { candidates }),
    };
    return {
      supply: { onPolicyFraction: 0, lists: { hasTeacher: listTeacher !== undefined } },
      train: (startStep) =>
        rank({ ...common, ...options, startStep, random: random.stream("train") }),
    };
  },
};

/** The loss of the first evaluation set's completions. */
function validationOf(
  { student, tokenizer, data }: TrainingParts,
  { evaluation: { batchSize } }: RunConfig,
): () => Promise<number> {
  const rows = completedRows(data.evaluation[0]?.rows ?? [], tokenizer.endIds);
  if (rows.length === 0) {
    throw new PupilError("there is no held-out completion whose loss a replay could go by.", {
      field: "trainer.replay",
      remedy: "Evaluate on data with completions, or leave it out.",
    });
  }
  return async () => (await evaluateLoss(student, rows, batchSize, tokenizer.padId)).loss;
}

/** @throws PupilError where rows of the data would be learned and have nothing to learn */
function checkCompletions(
  { promptsOnly }: TrainingParts["data"],
  wants: string,
  remedy: string,
): void {
  if (promptsOnly !== true) return;
  throw new PupilError(`The rows have prompts only, and ${wants}.`, {
    field: "data",
    remedy: `Name the field with the completions (data.fields.completion). ${remedy}`,
  });
}

function commonOptions({ trainer }: RunConfig, parts: TrainingParts) {
  const { student, tokenizer, optimizer, loss, lossStates } = parts;
  const { steps, batchSize, gradientAccumulationSteps, maxGradNorm } = trainer;
  const { learningRate, schedule, warmupSteps, finalLearningRateFraction } = trainer;
  return {
    ...{ student, tokenizer, optimizer, loss, steps, batchSize, gradientAccumulationSteps },
    schedule: { learningRate, schedule, warmupSteps, finalLearningRateFraction },
    ...(lossStates === undefined ? {} : { lossStates }),
    ...(maxGradNorm === null ? {} : { maxGradNorm }),
  };
}

/**
 * The trainer that a config names.
 *
 * @throws PupilError if a loss needs what it would not get
 */
export function trainerOf(config: RunConfig, parts: TrainingParts): Train {
  const { trainer } = config;
  const common = commonOptions(config, parts);
  const make = makers[trainer.type] as Maker<Trainer>;
  const { supply, train } = make(trainer, common, parts, config);
  const studentVocabSize = parts.student.config.vocabSize;
  const { gradientAccumulationSteps } = trainer;
  if (supply === undefined) return train;
  // The trainers check this too, but only once the run has begun.
  const student = { studentVocabSize, studentLayers: layerSizesOf(parts.student) };
  checkLoss(common.loss, { ...supply, ...student, gradientAccumulationSteps });
  return train;
}
