import {
  byteTokenizerFor,
  characterTokenizerFor,
  type DataAccess,
  freshStudentConfig,
  namedDatasets,
  type OwnComponents,
  type PreparedData,
  type RunConfig,
} from "../../../config/index.js";
import type { Tokenizer } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import { adapterName, type LoadedModel } from "../../../folders/index.js";
import type { LossTerm } from "../../../losses/index.js";
import {
  addAdapter,
  type Decoder,
  initializeDecoderInPieces,
  type ModelConfig,
  setActiveAdapter,
} from "../../../models/index.js";
import type { TeacherDefinition } from "../../../teachers/index.js";
import type { Random } from "../../../tensors/index.js";
import { findModelFolder } from "../../models/find-model.js";
import { loadTokenizer } from "../../models/load-tokenizer.js";
import { loadModelFolder } from "../../models/model-folder.js";
import { type LoadedStudent, loadRanker } from "../../models/ranker-folder.js";
import { fewestPositions, requireRunFits } from "./memory-estimate.js";
import { alignLoadedTeacher, type LoadedTeacher, loadTeacher } from "../../teachers/index.js";

/** The teacher that a config names; a distillation without one is an error. */
export async function loadRunTeacher(
  config: RunConfig,
  loss: readonly LossTerm[],
  own: readonly TeacherDefinition[] = [],
): Promise<LoadedTeacher | undefined> {
  if (config.teacher !== undefined) {
    const loaded = await loadTeacher(config.teacher, own);
    const { alignment } = config;
    if (alignment === undefined) return loaded;
    try {
      return alignLoadedTeacher(loaded, alignment, loss);
    } catch (error) {
      loaded.dispose();
      throw error;
    }
  }
  if (config.trainer.type !== "distill") return undefined;
  throw new PupilError("Distillation needs a teacher.", {
    field: "teacher",
    remedy: 'Add "teacher": { "from": "<model folder>" }.',
  });
}

/**
 * The student as saved in a checkpoint, or in the folder it starts from; undefined for a fresh one. For
 * a trainer of rankings with its head, where the folder has one.
 */
export async function loadStudent(
  config: RunConfig,
  checkpoint: string | undefined,
): Promise<LoadedStudent | undefined> {
  const { from } = config.student;
  const folder = checkpoint ?? (from && (await findModelFolder(from)));
  if (folder === undefined) return undefined;
  return config.trainer.type === "rank" ? loadRanker(folder) : loadModelFolder(folder);
}

/**
 * Adds the adapter that a new run trains, if its config has one.
 *
 * @param checkpoint of a run that is resumed: its student has the adapter already
 */
export async function addStudentAdapter(
  student: Decoder,
  { student: { from, lora } }: RunConfig,
  checkpoint: string | undefined,
  random: Random,
): Promise<void> {
  if (lora === undefined || from === undefined || checkpoint !== undefined) return;
  const baseModel = await findModelFolder(from);
  if (student.adapters.active !== undefined) {
    throw new PupilError(
      `${baseModel} is an adapter already, and this would be one on top of it.`,
      {
        field: "student.lora",
        remedy: `Leave it out to train that adapter on, or merge first: pupil merge ${baseModel} output=<folder>.`,
      },
    );
  }
  addAdapter(student, adapterName, { ...lora, baseModel, random, field: "student.lora" });
  setActiveAdapter(student, adapterName);
}

/** What is said of a student before its run. */
export function describeStudent({ numParameters, adapters }: Decoder): string {
  const count = (n: number) => n.toLocaleString("en-US");
  const { active } = adapters;
  const trained =
    active === undefined
      ? ""
      : `, frozen, and ${count(active.numParameters)} of an adapter of rank ${active.settings.rank}`;
  return `Student: ${count(numParameters)} parameters${trained}.`;
}

/** Where the data of a config comes from. */
export interface DataParts {
  readonly files: DataAccess;
  readonly components: OwnComponents;
}

/** What of a config decides its tokenizer. */
export type TokenizerChoice = Pick<RunConfig, "data" | "tokenizer"> & {
  readonly evaluation: Pick<RunConfig["evaluation"], "data">;
  readonly teacher?: unknown;
  readonly student?: RunConfig["student"];
  readonly alignment?: unknown;
};

/** The config's tokenizer, else the teacher's, else the student's, else the data's characters. */
export async function chooseTokenizer(
  config: TokenizerChoice,
  { files, components }: DataParts,
  teacher: Pick<LoadedTeacher, "tokenizer"> | undefined,
  student: Pick<LoadedModel, "tokenizer"> | undefined,
): Promise<Tokenizer> {
  const chosen = config.tokenizer;
  const datasets = [config.data, ...namedDatasets(config.evaluation.data).map(([, data]) => data)];
  const characters = (more = "") =>
    characterTokenizerFor(datasets, files, { characters: more, own: components });
  const makers = {
    character: () => characters(chosen?.type === "character" ? chosen.characters : ""),
    byte: () => byteTokenizerFor(config.data),
    file: ({ path }: { path: string }) => loadTokenizer(path),
  };
  const given = chosen && (await makers[chosen.type](chosen as { type: "file"; path: string }));
  const tokenizer = given ?? teacher?.tokenizer ?? student?.tokenizer ?? (await characters());
  const others = { teacher: teacher?.tokenizer, student: student?.tokenizer };
  for (const [role, other] of Object.entries(others)) {
    if (other === undefined || other.fingerprint === tokenizer.fingerprint) continue;
    throw new PupilError(
      `The ${role} has another tokenizer (${other.vocabSize} ids) than this run (${tokenizer.vocabSize} ids).`,
      {
        field: role,
        remedy: tokenizerRemedy(config),
      },
    );
  }
  return tokenizer;
}

function tokenizerRemedy({ tokenizer, teacher, student, alignment }: TokenizerChoice): string {
  const remedies = [
    ...(tokenizer === undefined ? [] : ["leave out `tokenizer`"]),
    ...(teacher !== undefined && student?.from !== undefined
      ? ["take a student with the teacher's tokenizer"]
      : []),
    ...(teacher !== undefined && alignment === undefined
      ? ["set `alignment` to {} to align the two by the bytes of the text"]
      : []),
  ];
  const text = remedies.join(", or ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export interface FreshStudentOptions {
  readonly maxPositions: number;
  /** Configs of the models that are loaded already. */
  readonly teachers: readonly ModelConfig[];
  readonly terms: readonly LossTerm[];
  readonly trains: boolean;
  readonly random: Random;
}

/**
 * A student with random weights, with the tokenizer's ids.
 *
 * @throws PupilError also if there is no memory for it
 */
export async function freshStudent(
  config: RunConfig,
  tokenizer: Tokenizer,
  data: PreparedData,
  { maxPositions, random, ...others }: FreshStudentOptions,
): Promise<Decoder> {
  const model = freshStudentConfig(config, tokenizer, maxPositions);
  requireRunFits(config, {
    ...{ student: model, ...others, fewestPositions: fewestPositions(config, data) },
  });
  return await initializeDecoderInPieces(model, random);
}

/** Every row and every sampled completion must fit into the models, before the run starts. */
export function checkContext(
  data: PreparedData,
  limits: { readonly student: number; readonly teacher: number | undefined },
  config: RunConfig,
): void {
  for (const [role, limit] of Object.entries(limits)) {
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
