import type { RunConfig } from "../../../config/index.js";
import { readRun } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import {
  type ListTeacher,
  modelListTeacher,
  recordedListTeacher,
} from "../../../teachers/index.js";
import { openDataFile } from "../../files/open-data-file.js";
import { weightsFiles } from "../../models/weights-files.js";
import { freezeLoaded } from "../../models/freeze-loaded.js";
import { findModelFolder } from "../../models/find-model.js";
import { loadSequenceModelFolder } from "../../models/sequence-model-folder.js";

/** Scores that a run asks for, with the model they come from, if any. */
export interface LoadedListTeacher {
  readonly teacher: ListTeacher;
  /** What decides the scores. */
  readonly files: readonly string[];
  dispose(): void;
}

/** Scores that a run asks for, and the field that says so: to learn, or to sort lists by before its windows. */
export function askedScores({ trainer, evaluation: { window } }: RunConfig) {
  const [scores, field] =
    trainer.type === "rank"
      ? [trainer.scores, "trainer.scores"]
      : [window?.scores, "evaluation.window.scores"];
  return scores && { scores, field };
}

/**
 * The scores that a run asks for; undefined where it learns grades alone, or has no windows to sort for.
 *
 * @throws PupilError for a folder without such a head, or a file without scores
 */
export async function loadListTeacher(config: RunConfig): Promise<LoadedListTeacher | undefined> {
  const { data, evaluation } = config;
  const asked = askedScores(config);
  if (asked === undefined) return undefined;
  const { scores, field } = asked;
  if (scores.type === "file") {
    const files = [scores.path];
    return { teacher: await readScores(scores.path), files, dispose: () => undefined };
  }
  const folder = await findModelFolder(scores.from);
  const { model, tokenizer } = await loadSequenceModelFolder(folder);
  if (model.head.numLabels !== 1) {
    model.dispose();
    throw new PupilError(`${folder} gives ${model.head.numLabels} scores, one is needed to rank.`, {
      field: `${field}.from`,
      value: scores.from,
      remedy: "Give a reranker or a reward model.",
    });
  }
  await freezeLoaded(model, scores.from);
  const lengths =
    data.type === "rerank"
      ? { queryLength: data.queryLength, passageLength: data.passageLength }
      : {};
  const { batchSize } = evaluation;
  const teacher = modelListTeacher(model, { name: folder, tokenizer, batchSize, ...lengths });
  return { teacher, files: await weightsFiles(folder), dispose: () => model.dispose() };
}

async function readScores(path: string): Promise<ListTeacher> {
  const scores = new Map<string, Map<string, number>>();
  for await (const { queryId, docid, score } of readRun(await openDataFile(path))) {
    const ofQuery = scores.get(queryId) ?? new Map<string, number>();
    scores.set(queryId, ofQuery.set(docid, score));
  }
  return recordedListTeacher(path, scores);
}
