import type { DataReport, RunConfig } from "../../../config/index.js";
import { requireObject, requireText } from "../../../errors/index.js";
import type { Tokenizer } from "../../../data/index.js";
import type { LossState, LossTerm } from "../../../losses/index.js";
import type { Decoder, SequenceModel } from "../../../models/index.js";
import { AdamW } from "../../../optim/index.js";
import { makeReplay, type Replay } from "../../../rollouts/index.js";
import type { Teacher } from "../../../teachers/index.js";
import {
  checkRows,
  layerSizesOf,
  makeProjections,
  type Projections,
  type StepMetrics,
} from "../../../trainers/index.js";
import { assembleModels, type Own, owning } from "../models/assemble-models.js";
import { describeUnused } from "../../models/model-folder.js";
import { loadOwnComponents, parseRunConfig } from "../../modules/own-components.js";
import { describeRanker } from "../../models/ranker-folder.js";
import { evaluatorOf, type RunEvaluation } from "../run-evaluation.js";
import { describeStudent } from "../models/run-models.js";
import { loadReference } from "../models/run-reference.js";
import { manifestOf } from "../models/run-teacher.js";
import { stepTermFromConfig } from "./run-terms.js";
import type { TeacherManifest } from "../../teachers/index.js";
import { trainerOf } from "./run-trainer.js";
import { type DataFingerprint, fingerprintOf } from "../folder/data-fingerprint.js";
import { readReplay, restoreTrainingState } from "../folder/training-state.js";

/** The parts of a run, ready to train. Owns the models and the optimizer. */
export interface RunParts extends Disposable {
  readonly student: Decoder;
  /** For a trainer of rankings: the student with its head, which is what it trains and saves. */
  readonly ranker: SequenceModel | undefined;
  readonly teacher: Teacher | undefined;
  readonly tokenizer: Tokenizer;
  readonly optimizer: AdamW;
  /** What is learned beside the student, for hidden states of another width than the teacher's. */
  readonly projections: Projections | undefined;
  /** What the student wrote in earlier steps, where a run learns it again. */
  readonly replay: Replay | undefined;
  /** What losses had remembered at the checkpoint; undefined for a new run. */
  readonly lossStates: Readonly<Record<string, LossState>> | undefined;
  /** What it learns from, as checkpoints say it; undefined without a teacher. */
  readonly teacherManifest: TeacherManifest | undefined;
  /** What to tell the user before the run starts. */
  readonly notes: readonly string[];
  /** What became of the rows of the data; absent for data without an end. */
  readonly dataReport: DataReport | undefined;
  /** Of the training rows. */
  fingerprint(): Promise<DataFingerprint>;
  /** Refuses training rows that the teacher cannot score; to be called before a run starts. */
  checkData(): Promise<void>;
  train(startStep: number): AsyncGenerator<StepMetrics>;
  evaluate(): Promise<RunEvaluation>;
}

/**
 * Builds everything a config names; with a checkpoint folder, the student and optimizer as saved
 * there. Whatever was loaded is released again if a later part fails.
 *
 * @throws PupilError for what is wrong with the config, the files that it names, or the checkpoint
 */
export async function buildRun(
  config: RunConfig,
  checkpoint: string | undefined,
): Promise<RunParts> {
  if (checkpoint !== undefined) {
    requireText(checkpoint, {
      field: "buildRun: checkpoint",
      remedy: "Name the folder of a checkpoint, or undefined for a run that begins.",
    });
  }
  const checked = await checkedConfig(config, "buildRun: config");
  return owning((own) => assemble(checked, checkpoint, own));
}

/** A config with its defaults, of a caller who may have no type checker and may not have parsed it. */
export async function checkedConfig(config: unknown, field: string): Promise<RunConfig> {
  requireObject(config, {
    field,
    remedy: "Give it what a config file has: { name, student, data, trainer, … }.",
  });
  return parseRunConfig(config, field);
}

async function assemble(
  config: RunConfig,
  checkpoint: string | undefined,
  own: Own,
): Promise<Omit<RunParts, typeof Symbol.dispose>> {
  const components = await loadOwnComponents(config);
  const loss = config.trainer.loss.map((term) => stepTermFromConfig(term, components.losses));
  const models = await assembleModels(config, { checkpoint, loss, components, trains: true }, own);
  const { random, tokenizer, data, student, loadedStudent, teacher, loadedTeacher } = models;
  const { ranker, listTeacher } = models;
  const layers = { student: layerSizesOf(student), teacher: teacher?.layerSizes };
  const projections = makeProjections(loss, layers, random.stream("projections"));
  if (projections !== undefined) own(projections);
  const trained = new Map([
    ...(ranker ?? student).trainableParameters(),
    ...(projections?.parameters ?? []),
  ]);
  const optimizer = own(new AdamW(trained, config.trainer.optimizer));
  const lossStates =
    checkpoint === undefined
      ? undefined
      : await restoreTrainingState(checkpoint, optimizer, {
          teacher: teacher?.state,
          projections: projections?.state,
        });
  const { trainer } = config;
  const replayed = trainer.type === "distill" ? trainer.replay : undefined;
  const replay =
    replayed &&
    makeReplay(replayed, checkpoint === undefined ? undefined : await readReplay(checkpoint));
  const reference = await loadReference(config, { student, tokenizer, random });
  if (reference !== undefined) own(reference);
  const parts = {
    ...{ student, ranker, listTeacher, teacher, tokenizer, data, random, reference },
    ownRewards: components.rewards,
  };
  return {
    student,
    ranker,
    teacher,
    tokenizer,
    optimizer,
    projections,
    replay,
    lossStates,
    teacherManifest: await manifestOf(config, tokenizer, loadedTeacher, models.loadedScores),
    notes: [
      ...data.notes,
      ...models.notes,
      describeStudent(student),
      ...(ranker ? [describeRanker(ranker, listTeacher)] : []),
      ...(loadedTeacher?.notes ?? []),
      ...(projections?.notes ?? []),
      ...describeUnused(loadedStudent, config.student.from),
      ...cautionsOf(loss),
    ],
    dataReport: data.report,
    fingerprint: () => fingerprintOf(config, data),
    checkData: async () => {
      if (teacher === undefined || config.trainer.type !== "distill") return;
      await checkRows(teacher, data.training, config.trainer);
    },
    train: trainerOf(config, {
      ...parts,
      tokenizer,
      optimizer,
      loss,
      lossStates,
      projections,
      replay,
    }),
    evaluate: evaluatorOf(config, parts),
  };
}

/** What is to be said of terms that do not do what one would expect of them. */
function cautionsOf(loss: readonly LossTerm[]): string[] {
  return loss.flatMap(({ definition, config }) => {
    const caution = definition.caution?.(config);
    return caution === undefined ? [] : [`Caution: the loss ${definition.name}: ${caution}`];
  });
}
