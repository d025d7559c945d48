import { join } from "node:path";
import type { Tokenizer } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { type FileContent, type LoadedModel, modelFiles } from "../../folders/index.js";
import {
  decodeSafetensors,
  type Decoder,
  encodeSafetensors,
  scoreName,
  type SequenceModel,
  variableState,
  withHead,
} from "../../models/index.js";
import type { ListTeacher } from "../../teachers/index.js";
import { Random } from "../../tensors/index.js";
import { isFile } from "../files/file-exists.js";
import { readBytes, readJson } from "../files/read-files.js";
import { isAdapterFolder } from "./adapter-folder.js";
import { loadModelFolder } from "./model-folder.js";
import { loadSequenceModelFolder, sequenceModelFiles } from "./sequence-model-folder.js";

/** A model as a run starts from; `model` is the body of `ranker` where there is one. */
export interface LoadedStudent extends LoadedModel {
  readonly ranker?: SequenceModel;
}

/** The head beside an adapter: its folder has no place for one. */
const headFile = "head.safetensors";

/** A model folder to rank with, with the head that it has, if any. The caller owns model and head. */
export async function loadRanker(folder: string): Promise<LoadedStudent> {
  if (!(await isAdapterFolder(folder))) {
    if (!(await hasHead(folder))) return loadModelFolder(folder);
    const { model: ranker, ...loaded } = await loadSequenceModelFolder(folder);
    return { ...loaded, model: ranker.body, ranker };
  }
  const loaded = await loadModelFolder(folder);
  const path = join(folder, headFile);
  if (!(await isFile(path))) return loaded;
  const ranker = withHead(loaded.model, { random: new Random(0) });
  try {
    headState(ranker).restore(decodeSafetensors(await readBytes(path, "head"), path));
    return { ...loaded, model: ranker.body, ranker };
  } catch (error) {
    ranker.dispose();
    throw error;
  }
}

/** Whether the config of a model folder says that it scores whole sequences. */
export async function hasHead(folder: string): Promise<boolean> {
  const json = await readJson(join(folder, "config.json"), "model config");
  const { architectures } = (json ?? {}) as { readonly architectures?: unknown };
  return (
    Array.isArray(architectures) &&
    architectures.some((name) => String(name).endsWith("ForSequenceClassification"))
  );
}

/**
 * A student with the head that it was loaded with, or a fresh one.
 *
 * @throws PupilError for a head with more than one score
 */
export function rankerOf(
  student: Decoder,
  loaded: LoadedStudent | undefined,
  random: Random,
): SequenceModel {
  const ranker = loaded?.ranker;
  if (ranker === undefined) return withHead(student, { random });
  if (ranker.head.numLabels === 1) return ranker;
  throw new PupilError(`has a head with ${ranker.head.numLabels} scores, one is needed to rank.`, {
    field: "student.from",
    remedy: "Start from a reranker, a reward model, or a language model.",
  });
}

/** The files of a ranker: those of a sequence model's folder, or an adapter's with the head beside it. */
export async function rankerFiles(
  ranker: SequenceModel,
  tokenizer: Tokenizer,
): Promise<Map<string, FileContent>> {
  const { active, merged } = ranker.body.adapters;
  if (active === undefined || merged !== undefined) return sequenceModelFiles(ranker, tokenizer);
  const files = await modelFiles(ranker.body, tokenizer);
  const head = await headState(ranker).read();
  return files.set(headFile, () => encodeSafetensors(head, { dtype: "float32" }));
}

function headState({ score }: SequenceModel) {
  return variableState(new Map([[scoreName, score]]), "head");
}

/** What is said of a ranker before its run. */
export function describeRanker(
  { score }: SequenceModel,
  teacher: Pick<ListTeacher, "name"> | undefined,
): string {
  const whose = teacher === undefined ? "no teacher's" : `those of ${teacher.name}`;
  return `Head: one score from ${score.size} weights, trained with the student. Scores to learn: ${whose}.`;
}
