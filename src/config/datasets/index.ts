import { requireMember } from "../../errors/index.js";
import {
  byteTokenizer,
  characterTokenizer,
  type Tokenizer,
  withCharacters,
} from "../../data/index.js";
import { type Dataset, namedDatasets } from "../dataset-schema.js";
import { noOwnComponents } from "../own-components.js";
import {
  type DataAccess,
  type DatasetKind,
  filesInMemory,
  type ListsToRank,
  type OwnDataComponents,
  type PreparedData,
  type PrepareOptions,
} from "./dataset-kind.js";
import { evaluatedOn } from "./evaluated-on.js";
import { fileDataset, hubDataset, jsonlDataset } from "./file-dataset.js";
import { pairsDataset } from "./pairs-dataset.js";
import { prontoqaDataset } from "./prontoqa-dataset.js";
import { rerankDataset } from "./rerank-dataset.js";
import { taskDataset } from "./task-dataset.js";
import { textDataset } from "./text-dataset.js";

export {
  type DataAccess,
  type DataReport,
  filesInMemory,
  type HubRequest,
  type OwnDataComponents,
  type PreparedData,
  type PrepareOptions,
} from "./dataset-kind.js";
export type { Dataset } from "../dataset-schema.js";
export { prontoqaJudge } from "./prontoqa-dataset.js";

const kinds: { [D in Dataset as D["type"]]: DatasetKind<D> } = {
  text: textDataset,
  file: fileDataset,
  jsonl: jsonlDataset,
  hub: hubDataset,
  pairs: pairsDataset,
  rerank: rerankDataset,
  prontoqa: prontoqaDataset,
  task: taskDataset,
};

function kindOf(dataset: Dataset): DatasetKind<Dataset> {
  return kinds[dataset.type] as DatasetKind<Dataset>;
}

/**
 * Tokenizes a dataset and splits it into training rows and evaluation sets; with `evaluationData`,
 * the evaluation sets are those of that.
 *
 * @throws PupilError naming file and line, or the field, for data that cannot be used
 */
export async function prepareData(
  dataset: Dataset,
  options: PrepareOptions,
): Promise<PreparedData> {
  requireMember(dataset, "type", {
    field: "prepareData: dataset",
    remedy: 'Give it a dataset: datasetSchema.parse({ type: "text", path: "my.txt" }).',
  });
  const context = {
    ...{ files: filesInMemory([]), evaluationRows: 128, own: noOwnComponents },
    ...options,
  };
  for (const [name, member, remedy] of prepareParts) {
    requireMember(context[name], member, { field: `prepareData: ${name}`, remedy });
  }
  const prepared = await kindOf(dataset).prepare(dataset, context);
  const others = namedDatasets(options.evaluationData);
  if (others.length === 0) return prepared;
  return evaluatedOn(prepared, others, (other) => kindOf(other).prepare(other, context));
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
): Promise<ListsToRank | undefined> {
  return kindOf(dataset).readLists?.(dataset, files);
}

export interface CharacterOptions {
  /** Characters beside those of the data. */
  readonly characters?: string;
  readonly own?: OwnDataComponents;
}

/** One id per character that occurs in a dataset or in one of several, with the special tokens it needs. */
export async function characterTokenizerFor(
  data: Dataset | readonly Dataset[],
  files: DataAccess,
  { characters: more = "", own = noOwnComponents }: CharacterOptions = {},
): Promise<Tokenizer> {
  const datasets = "type" in data ? [data] : data;
  const sources = await Promise.all(
    datasets.map((dataset) => kindOf(dataset).characters(dataset, files, own)),
  );
  const [first] = sources;
  const all = [...sources.map((s) => (typeof s === "string" ? s : s.alphabet)), more].join("");
  // An alphabet keeps its order; what comes beside it follows.
  const source = typeof first === "string" ? all : { alphabet: withCharacters("", all) };
  const specialTokens = datasets.some((dataset) => kindOf(dataset).hasEnds);
  return characterTokenizer(source, { specialTokens });
}

/** One id per byte, with the special tokens a dataset needs. */
export function byteTokenizerFor(dataset: Dataset): Tokenizer {
  return byteTokenizer({ specialTokens: kindOf(dataset).hasEnds });
}
