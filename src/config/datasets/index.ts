import { requireMember } from "../../errors/index.js";
import {
  byteTokenizer,
  characterTokenizer,
  type RerankLists,
  type Tokenizer,
} from "../../data/index.js";
import type { RunConfig } from "../run.js";
import {
  type DataAccess,
  type DatasetKind,
  filesInMemory,
  type PreparedData,
  type PrepareOptions,
} from "./dataset-kind.js";
import { fileDataset, hubDataset, jsonlDataset } from "./file-dataset.js";
import { pairsDataset } from "./pairs-dataset.js";
import { rerankDataset } from "./rerank-dataset.js";
import { taskDataset } from "./task-dataset.js";
import { textDataset } from "./text-dataset.js";

export {
  type DataAccess,
  type DataReport,
  filesInMemory,
  type HubRequest,
  type PreparedData,
  type PrepareOptions,
} from "./dataset-kind.js";

export type Dataset = RunConfig["data"];

const kinds: { [D in Dataset as D["type"]]: DatasetKind<D> } = {
  text: textDataset,
  file: fileDataset,
  jsonl: jsonlDataset,
  hub: hubDataset,
  pairs: pairsDataset,
  rerank: rerankDataset,
  task: taskDataset,
};

function kindOf(dataset: Dataset): DatasetKind<Dataset> {
  return kinds[dataset.type] as DatasetKind<Dataset>;
}

/**
 * Tokenizes a dataset and splits it into training rows and evaluation sets.
 *
 * @throws PupilError naming file and line, or the field, for data that cannot be used
 */
export async function prepareData(
  dataset: Dataset,
  options: PrepareOptions,
): Promise<PreparedData> {
  const context = { files: filesInMemory([]), evaluationRows: 128, ...options };
  for (const [name, member, remedy] of prepareParts) {
    requireMember(context[name], member, { field: `prepareData: ${name}`, remedy });
  }
  return kindOf(dataset).prepare(dataset, context);
}

/** What `prepareData` is given, how it is told, and where it comes from. */
const prepareParts = [
  ["tokenizer", "encode", "Give it a tokenizer: loadModelFolder gives one."],
  ["random", "stream", "Give it random numbers: new Random(1)."],
  ["files", "open", "Give it where files come from: dataOnDisk() or filesInMemory([…])."],
] as const;

/** The lists of a dataset to rank; undefined for data that is made of rows. */
export async function readListsOf(
  dataset: Dataset,
  files: DataAccess,
): Promise<RerankLists | undefined> {
  return kindOf(dataset).readLists?.(dataset, files);
}

/** One id per character that occurs in a dataset, with the special tokens it needs. */
export async function characterTokenizerFor(
  dataset: Dataset,
  files: DataAccess,
): Promise<Tokenizer> {
  const { characters, hasEnds } = kindOf(dataset);
  return characterTokenizer(await characters(dataset, files), { specialTokens: hasEnds });
}

/** One id per byte, with the special tokens a dataset needs. */
export function byteTokenizerFor(dataset: Dataset): Tokenizer {
  return byteTokenizer({ specialTokens: kindOf(dataset).hasEnds });
}
