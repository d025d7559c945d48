import {
  type DataReport,
  type PreparedData,
  readListsOf,
  type RunConfig,
} from "../../config/index.js";
import {
  type RerankList,
  type RerankReport,
  type ShownToken,
  type TokenSequence,
  tokenViewer,
} from "../../data/index.js";
import type { TeacherDefinition } from "../../teachers/index.js";
import { prepareRunData } from "./models/assemble-models.js";
import { dataOnDisk } from "../files/data-on-disk.js";
import { resolveRunConfig } from "./evaluate-run.js";
import { findModelFolder } from "../models/find-model.js";
import { type ModelOutline, readModelOutline } from "../models/model-folder.js";
import { loadOwnComponents } from "../modules/own-components.js";
import { chooseTokenizer } from "./models/run-models.js";
import { readTeacherOutline } from "../teachers/index.js";

/** What a student would learn from: rows of tokens, or lists to rank. */
export type DataInspection =
  | {
      readonly kind: "rows";
      readonly notes: readonly string[];
      readonly vocabSize: number;
      readonly report: DataReport | undefined;
      /** Tokens of every training row; undefined for data without an end. */
      readonly lengths: readonly number[] | undefined;
      /** Rows of the first steps. */
      readonly examples: readonly { readonly id: string; readonly tokens: readonly ShownToken[] }[];
    }
  | {
      readonly kind: "lists";
      readonly notes: readonly string[];
      readonly report: RerankReport;
      readonly examples: readonly RerankList[];
    };

/** What `pupil data` was asked to show. */
export async function resolveData(path: string, words: readonly string[]): Promise<RunConfig> {
  const { config } = await resolveRunConfig(path, words);
  return config;
}

/** Reads and tokenizes a config's data as a run would. Of models only the tokenizer is loaded. */
export async function inspectData(config: RunConfig, count: number): Promise<DataInspection> {
  const files = dataOnDisk();
  const lists = await readListsOf(config.data, files);
  if (lists !== undefined) {
    const { report, baselines: notes } = lists;
    return { kind: "lists", notes, report, examples: lists.lists.slice(0, count) };
  }
  const components = await loadOwnComponents(config);
  const teacher = await outlineOfTeacher(config, components.teachers);
  const { from } = config.student;
  const student =
    from === undefined ? undefined : await readModelOutline(await findModelFolder(from));
  const parts = { files, components };
  const tokenizer = await chooseTokenizer(config, parts, teacher, student);
  const data = await prepareRunData(config, tokenizer, parts, {
    teacher: teacher?.maxPositions,
    student: student?.maxPositions,
  });
  try {
    const view = tokenViewer(tokenizer);
    const rows = await firstExamples(config, data, count);
    return {
      kind: "rows",
      notes: data.notes,
      vocabSize: tokenizer.vocabSize,
      report: data.report,
      lengths: data.lengths?.(),
      examples: rows.map(({ id, row }) => ({ id, tokens: view(row) })),
    };
  } finally {
    data.dispose?.();
  }
}

/** Rows of the first step; for a trainer of pairs both answers. */
async function firstExamples(
  { trainer }: RunConfig,
  { training, pairs }: PreparedData,
  count: number,
): Promise<{ id: string; row: TokenSequence }[]> {
  const nameOf = (row: TokenSequence, i: number) => row.id ?? `row ${i + 1}`;
  if (trainer.type !== "pairs" || pairs === undefined) {
    const rows = (await training.rows(0, trainer.batchSize)).slice(0, count);
    return rows.map((row, i) => ({ id: nameOf(row, i), row }));
  }
  const first = (await pairs.pairs(0, trainer.batchSize)).slice(0, count);
  return first.flatMap(({ positive, negative }, i) => [
    { id: `${nameOf(positive, i)}, preferred`, row: positive },
    { id: `${nameOf(negative, i)}, rejected`, row: negative },
  ]);
}

/** Undefined for one that has its own tokenizer beside the run's. */
async function outlineOfTeacher(
  { teacher, alignment }: RunConfig,
  own: readonly TeacherDefinition[],
): Promise<Partial<ModelOutline> | undefined> {
  const isOther = teacher === undefined || alignment !== undefined;
  return isOther ? undefined : readTeacherOutline(teacher, own);
}
