import type {
  DataFile,
  ProblemSource,
  RerankLists,
  SpillFile,
  TokenizeReport,
  Tokenizer,
  TokenSequence,
  TrainingProblems,
} from "../../data/index.js";
import { requireMember } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import type { EvaluationData } from "../dataset-schema.js";
import type { OwnComponents } from "../own-components.js";
import type { EvaluationSet, PairData, RankData, TrainingData } from "../../trainers/index.js";

/** Where a dataset's files come from: the disk, or what a page was given. */
export interface DataAccess {
  /** A file by its path. Throws a PupilError where there is none. */
  open(path: string): Promise<DataFile>;
  /** Paths of all files below a folder, relative to it; undefined where the path is no folder. */
  list?(path: string): Promise<readonly string[] | undefined>;
  /** A file for tokens beyond `memoryLimitBytes`; without it all stay in memory. */
  createSpillFile?(): Promise<SpillFile>;
  /** The files of a dataset on the Hugging Face Hub that `choose` picks, in its order. */
  download?(request: HubRequest): Promise<readonly DataFile[]>;
}

export interface HubRequest {
  /** `owner/name` */
  readonly dataset: string;
  readonly revision: string;
  readonly choose: (paths: readonly string[]) => readonly string[];
}

/** Files that are in memory, by path. */
export function filesInMemory(files: Iterable<DataFile>): DataAccess {
  requireMember(files, Symbol.iterator, {
    field: "filesInMemory: files",
    remedy: "Give it a list: [dataFile(name, bytes)].",
  });
  const byName = new Map([...files].map((file) => [file.name, file]));
  return {
    open(path) {
      const file = byName.get(path);
      if (file === undefined) throw new Error(`There is no file ${path}.`);
      return Promise.resolve(file);
    },
  };
}

/** What was read, for `summary.json`. */
export interface DataReport {
  readonly trainingRows: number;
  readonly validationRows: number;
  /** For each file or split: what became of its rows. */
  readonly sources: readonly (TokenizeReport & { readonly source: string })[];
}

/** A dataset made ready for one tokenizer. */
export interface PreparedData {
  readonly training: TrainingData;
  /** Whether no row has anything to learn: a student has to write the completions. */
  readonly promptsOnly?: boolean;
  /** For trainers of pairs; absent where the data has none. */
  readonly pairs?: PairData;
  /** For trainers of rankings; absent where the data has no lists. */
  readonly ranking?: RankData;
  /** For trainers and samplers that ask and verify; absent where nothing can tell what is right. */
  readonly problems?: TrainingProblems;
  readonly evaluation: readonly EvaluationSet[];
  /** Longest completion to sample, in tokens, unless the config says otherwise. */
  readonly maxNewTokens: number;
  /** Longest completion to sample in evaluations, where they are on other data. Default: as in training. */
  readonly evaluationNewTokens?: number;
  /** Ids of the longest prompt: what a completion has to fit behind. */
  readonly longestPrompt: number;
  /** Positions a model needs for every row, and for a completion of `maxNewTokens` where it can be sampled. */
  readonly positions: number;
  /** What was counted, truncated and dropped, for people. */
  readonly notes: readonly string[];
  /** The same for machines; absent for data without an end. */
  readonly report?: DataReport;
  /** Lengths in tokens of all training rows; absent for data without an end. */
  lengths?(): number[];
  /** Closes temporary files, where there are any. */
  dispose?(): void;
}

export interface PrepareOptions {
  readonly tokenizer: Tokenizer;
  readonly random: Random;
  /** Default: none, for tasks. */
  readonly files?: DataAccess;
  /** Most positions of the model, where it exists already. */
  readonly maxPositions?: number | undefined;
  /** Rows per evaluation set. Default: 128. */
  readonly evaluationRows?: number;
  /** Data to evaluate on in place of the dataset's own. */
  readonly evaluationData?: EvaluationData | undefined;
  /** Tasks and verifiers beside the built-in ones. */
  readonly own?: OwnDataComponents;
}

export type OwnDataComponents = Pick<OwnComponents, "tasks" | "verifiers">;

export type PrepareContext = PrepareOptions &
  Required<Pick<PrepareOptions, "files" | "evaluationRows" | "own">>;

/** How one kind of dataset is used; every kind has a file beside this one. */
export interface DatasetKind<D> {
  /** Whether its rows end with an end token. Plain text has no end to learn. */
  readonly hasEnds: boolean;
  /** Source of a character tokenizer: a text, or the alphabet in its order. */
  characters(
    dataset: D,
    files: DataAccess,
    own: OwnDataComponents,
  ): Promise<string | { readonly alphabet: string }>;
  prepare(dataset: D, context: PrepareContext): PreparedData | Promise<PreparedData>;
  /** Lists to rank, for data that has no rows of tokens. */
  readLists?(dataset: D, files: DataAccess): Promise<ListsToRank>;
}

/** Lists with what is there to beat on those to validate on, for people. */
export type ListsToRank = RerankLists & { readonly baselines: readonly string[] };

/** The different characters of texts. */
export async function distinctCharacters(
  texts: Iterable<string> | AsyncIterable<string>,
): Promise<string> {
  const characters = new Set<string>();
  for await (const text of texts) for (const character of text) characters.add(character);
  return [...characters].join("");
}

export function promptOfRow({ ids, completionStart }: TokenSequence): number[] {
  return ids.slice(0, completionStart);
}

/** The largest measure of the rows, at least 1. */
export function longest(
  rows: readonly TokenSequence[],
  measure: (row: TokenSequence) => number,
): number {
  return rows.reduce((most, row) => Math.max(most, measure(row)), 1);
}

/**
 * Room for completions that are no part of the data: a quarter more than the longest right one, so that a
 * student can also be wrong at length, behind the longest prompt.
 */
export function roomForAnswers(
  rows: readonly TokenSequence[],
): Pick<PreparedData, "maxNewTokens" | "longestPrompt" | "positions"> {
  const completion = longest(rows, ({ ids, completionStart }) => ids.length - completionStart);
  const longestPrompt = longest(rows, ({ completionStart }) => completionStart);
  const maxNewTokens = Math.ceil(1.25 * completion);
  return { maxNewTokens, longestPrompt, positions: longestPrompt + maxNewTokens };
}

/** The training problems of a source, one after another. */
export function trainingProblems(source: ProblemSource, random: Random): TrainingProblems {
  return {
    source,
    problems: (step, count) =>
      Array.from({ length: count }, (_, i) => source.problem("train", step * count + i, random)),
  };
}

export function withCommas(value: number): string {
  return value.toLocaleString("en-US");
}
