import {
  applyOverrides,
  type DataReport,
  parseConfig,
  prepareData,
  readListsOf,
  type RunConfig,
  runConfigSchema,
} from "../config/index.js";
import {
  type RerankList,
  type RerankReport,
  type ShownToken,
  type Tokenizer,
  tokenViewer,
} from "../data/index.js";
import { contextLength } from "../models/index.js";
import { Random } from "../tensors/index.js";
import { dataOnDisk } from "./data-on-disk.js";
import { findModelFolder } from "./find-model.js";
import { readModelFolder } from "./model-folder.js";
import { readJson } from "./read-files.js";
import { chooseTokenizer } from "./run-models.js";

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
      readonly report: RerankReport;
      readonly examples: readonly RerankList[];
    };

/** What `pupil data` was asked to show. */
export async function resolveData(path: string, words: readonly string[]): Promise<RunConfig> {
  return parseConfig(
    runConfigSchema,
    applyOverrides(await readJson(path, "run config"), words),
    path,
  );
}

/** Reads and tokenizes a config's data as a run would. Of models only the tokenizer is loaded. */
export async function inspectData(config: RunConfig, count: number): Promise<DataInspection> {
  const files = dataOnDisk();
  const lists = await readListsOf(config.data, files);
  if (lists !== undefined) {
    return { kind: "lists", report: lists.report, examples: lists.lists.slice(0, count) };
  }
  const teacher = await describeModel(config.teacher);
  const student = await describeModel(config.student);
  const limits = [
    teacher?.maxPositions,
    student?.maxPositions ?? config.student.architecture?.maxPositions,
  ].filter((limit) => limit !== undefined);
  const tokenizer = await chooseTokenizer(config, files, teacher, student);
  const data = await prepareData(config.data, {
    tokenizer,
    files,
    maxPositions: limits.length === 0 ? undefined : Math.min(...limits),
    evaluationRows: config.evaluation.rows,
    random: new Random(config.seed).stream("data"),
  });
  try {
    const view = tokenViewer(tokenizer);
    const rows = (await data.training.rows(0, config.trainer.batchSize)).slice(0, count);
    return {
      kind: "rows",
      notes: data.notes,
      vocabSize: tokenizer.vocabSize,
      report: data.report,
      lengths: data.lengths?.(),
      examples: rows.map((row, i) => ({ id: row.id ?? `row ${i + 1}`, tokens: view(row) })),
    };
  } finally {
    data.dispose?.();
  }
}

/** Tokenizer and context of a model folder that a part of the config names, without its weights. */
async function describeModel(
  part: object | undefined,
): Promise<{ tokenizer: Tokenizer; maxPositions: number } | undefined> {
  const { from } = (part ?? {}) as { from?: string };
  if (from === undefined) return undefined;
  const { config, tokenizer } = await readModelFolder(await findModelFolder(from));
  return { tokenizer, maxPositions: contextLength(config) };
}
