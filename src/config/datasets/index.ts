import { byteTokenizer, characterTokenizer, type Tokenizer } from "../../data/index.js";
import type { RunConfig } from "../run.js";
import type { DatasetKind, Files, PreparedData, PrepareOptions } from "./dataset-kind.js";
import { jsonlDataset } from "./jsonl-dataset.js";
import { taskDataset } from "./task-dataset.js";
import { textDataset } from "./text-dataset.js";

export type { Files, PreparedData, PrepareOptions } from "./dataset-kind.js";

export type Dataset = RunConfig["data"];

const kinds: { [D in Dataset as D["type"]]: DatasetKind<D> } = {
  text: textDataset,
  jsonl: jsonlDataset,
  task: taskDataset,
};

function kindOf(dataset: Dataset): DatasetKind<Dataset> {
  return kinds[dataset.type] as DatasetKind<Dataset>;
}

/** Paths of the files that a dataset reads. */
export function filesOf(dataset: Dataset): string[] {
  const { path, validationPath } = dataset as { path?: string; validationPath?: string };
  return [path, validationPath].filter((file) => file !== undefined);
}

/**
 * Tokenizes a dataset and splits it into training rows and evaluation sets.
 *
 * @throws PupilError naming file and line, or the field, for data that cannot be used
 */
export function prepareData(dataset: Dataset, options: PrepareOptions): PreparedData {
  const context = { files: new Map<string, string>(), evaluationRows: 128, ...options };
  return kindOf(dataset).prepare(dataset, context);
}

/** One id per character that occurs in a dataset, with the special tokens it needs. */
export function characterTokenizerFor(dataset: Dataset, files: Files): Tokenizer {
  const { characters, hasEnds } = kindOf(dataset);
  return characterTokenizer(characters(dataset, files), { specialTokens: hasEnds });
}

/** One id per byte, with the special tokens a dataset needs. */
export function byteTokenizerFor(dataset: Dataset): Tokenizer {
  return byteTokenizer({ specialTokens: kindOf(dataset).hasEnds });
}
