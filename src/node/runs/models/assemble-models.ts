import {
  contextNotes,
  freshContext,
  type OwnComponents,
  prepareData,
  type PreparedData,
  type RunConfig,
  shortfallNotes,
} from "../../../config/index.js";
import type { Tokenizer } from "../../../data/index.js";
import type { LossTerm } from "../../../losses/index.js";
import {
  contextLength,
  type Decoder,
  type ModelConfig,
  type SequenceModel,
} from "../../../models/index.js";
import type { ListTeacher, Teacher } from "../../../teachers/index.js";
import { Random } from "../../../tensors/index.js";
import { requireMicroBatches } from "../../../trainers/index.js";
import { dataOnDisk } from "../../files/data-on-disk.js";
import { type LoadedStudent, rankerOf } from "../../models/ranker-folder.js";
import { type LoadedListTeacher, loadListTeacher } from "./list-teacher.js";
import {
  fewestPositions,
  folderConfig,
  listTeacherConfigs,
  type MemoryParts,
  referenceConfigs,
  requireRunFits,
  teacherConfigs,
} from "./memory-estimate.js";
import {
  addStudentAdapter,
  checkContext,
  chooseTokenizer,
  type DataParts,
  freshStudent,
  loadRunTeacher,
  loadStudent,
} from "./run-models.js";
import type { LoadedTeacher } from "../../teachers/index.js";

/** Takes over what is to be released with the parts of a run; returns it. */
export type Own = <T extends { dispose(): void }>(owner: T) => T;

/** Models, tokenizer and data that a config names. */
export interface RunModels {
  /** Of the run's seed. */
  readonly random: Random;
  readonly tokenizer: Tokenizer;
  readonly data: PreparedData;
  readonly student: Decoder;
  /** For a trainer of rankings: the student with its head. */
  readonly ranker: SequenceModel | undefined;
  readonly listTeacher: ListTeacher | undefined;
  readonly loadedScores: LoadedListTeacher | undefined;
  readonly loadedStudent: LoadedStudent | undefined;
  readonly teacher: Teacher | undefined;
  readonly loadedTeacher: LoadedTeacher | undefined;
  /** What to tell the user of how they fit together. */
  readonly notes: readonly string[];
}

/** Makes parts that release what they own when disposed, or at once if the making fails. */
export async function owning<T extends object>(
  make: (own: Own) => Promise<T>,
): Promise<T & Disposable> {
  const owned: { dispose(): void }[] = [];
  const own: Own = (owner) => {
    owned.push(owner);
    return owner;
  };
  const dispose = () => {
    for (const owner of owned.reverse()) owner.dispose();
  };
  try {
    return { ...(await make(own)), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

export interface ModelsUse {
  /** Folder with the student as it was saved; default: as the config says. */
  readonly checkpoint?: string | undefined;
  /** What the teacher is for; an aligned one gives signals for some losses only. */
  readonly loss: readonly LossTerm[];
  /** What the config's lists of modules lead to. */
  readonly components: OwnComponents;
  /** Whether the student is trained: that takes memory. */
  readonly trains: boolean;
}

/**
 * Loads and checks them.
 *
 * @throws PupilError also if they cannot fit into memory, before they are made
 */
export async function assembleModels(
  config: RunConfig,
  { checkpoint, loss, components, trains }: ModelsUse,
  own: Own,
): Promise<RunModels> {
  const { trainer } = config;
  if (trains && trainer.type !== "reinforce") {
    requireMicroBatches(trainer.batchSize, trainer.gradientAccumulationSteps);
  }
  const random = new Random(config.seed);
  const files = dataOnDisk();
  const teachers = await requireModelsFit(config, checkpoint, { terms: loss, trains });
  const loadedTeacher = await loadRunTeacher(config, loss, components.teachers);
  if (loadedTeacher !== undefined) own(loadedTeacher);
  const loadedStudent = await loadStudent(config, checkpoint);
  if (loadedStudent !== undefined) own(loadedStudent.model);
  // At once, as its body is: data, contexts or the head itself may yet be refused.
  const loadedHead = loadedStudent?.ranker?.score;
  if (loadedHead !== undefined) own({ dispose: () => loadedHead.dispose() });
  const tokenizer = await chooseTokenizer(
    config,
    { files, components },
    loadedTeacher,
    loadedStudent,
  );

  const data = await prepareRunData(
    config,
    tokenizer,
    { files, components },
    {
      teacher: loadedTeacher?.maxPositions,
      student: loadedStudent && contextLength(loadedStudent.model.config),
    },
  );
  own({ dispose: () => data.dispose?.() });
  if (loadedStudent !== undefined) {
    requireRunFits(config, {
      ...{ student: loadedStudent.model.config, teachers, terms: loss, trains },
      isAdapter: loadedStudent.model.adapters.active !== undefined,
      fewestPositions: fewestPositions(config, data),
    });
  }
  const student =
    loadedStudent?.model ??
    own(
      await freshStudent(config, tokenizer, data, {
        maxPositions: freshContext(config, data, loadedTeacher?.maxPositions),
        ...{ teachers, terms: loss, trains },
        random: random.stream("weights"),
      }),
    );
  await addStudentAdapter(student, config, checkpoint, random.stream("weights"));
  const ranker =
    config.trainer.type === "rank"
      ? rankerOf(student, loadedStudent, random.stream("weights"))
      : undefined;
  if (ranker !== undefined && loadedHead === undefined) {
    own({ dispose: () => ranker.score.dispose() });
  }
  const loadedScores = await loadListTeacher(config);
  if (loadedScores !== undefined) own(loadedScores);
  const contexts = {
    student: contextLength(student.config),
    teacher: loadedTeacher?.maxPositions,
  };
  checkContext(data, contexts, config);
  const shortest = Math.min(contexts.student, contexts.teacher ?? Infinity);
  const teacher =
    loadedTeacher &&
    own(
      await loadedTeacher.connect({
        ...{ tokenizer, student, vocabSize: student.config.vocabSize },
        random: random.stream("teacher"),
      }),
    );
  const notes = [
    ...shortfallNotes(config, data, student.config.vocabSize, trains),
    ...contextNotes(config, data, shortest, trains),
  ];
  return {
    ...{ random, tokenizer, data, loadedStudent, teacher, loadedTeacher, notes },
    // A head takes the place of a model's own, which is gone then.
    ...{ student: ranker?.body ?? student, ranker, listTeacher: loadedScores?.teacher },
    loadedScores,
  };
}

/** Before anything is loaded: whether the models fit that are in folders. Returns the teachers' configs. */
async function requireModelsFit(
  config: RunConfig,
  checkpoint: string | undefined,
  use: Pick<MemoryParts, "terms" | "trains">,
): Promise<ModelConfig[]> {
  const teachers = [
    ...(await teacherConfigs(config.teacher)),
    ...(await listTeacherConfigs(config)),
    ...(await referenceConfigs(config.trainer)),
  ];
  const from = checkpoint ?? config.student.from;
  if (from !== undefined) {
    const { config: student, isAdapter } = await folderConfig(from);
    requireRunFits(config, { student, isAdapter, teachers, ...use, fewestPositions: 1 });
  }
  return teachers;
}

/**
 * The data of a run for its tokenizer, in rows that the models have room for.
 *
 * @param contexts of the models that are loaded; a fresh student's is in the config
 */
export function prepareRunData(
  config: RunConfig,
  tokenizer: Tokenizer,
  { files, components }: DataParts,
  contexts: { readonly teacher: number | undefined; readonly student: number | undefined },
): Promise<PreparedData> {
  const { teacher, student = config.student.architecture?.maxPositions } = contexts;
  const limits = [teacher, student].filter((limit) => limit !== undefined);
  return prepareData(config.data, {
    tokenizer,
    files,
    maxPositions: limits.length === 0 ? undefined : Math.min(...limits),
    evaluationRows: config.evaluation.rows,
    evaluationData: config.evaluation.data,
    own: components,
    random: new Random(config.seed).stream("data"),
  });
}
