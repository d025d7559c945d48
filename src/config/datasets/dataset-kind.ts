import type { Tokenizer, TokenSequence } from "../../data/index.js";
import type { Random } from "../../tensors/index.js";
import type { EvaluationSet, PairData, TrainingData } from "../../trainers/index.js";

/** Contents of the files that a dataset names, by path. */
export type Files = ReadonlyMap<string, string>;

/** A dataset made ready for one tokenizer. */
export interface PreparedData {
  readonly training: TrainingData;
  /** For trainers of pairs; absent where the data has none. */
  readonly pairs?: PairData;
  readonly evaluation: readonly EvaluationSet[];
  /** Longest completion to sample, in tokens, unless the config says otherwise. */
  readonly maxNewTokens: number;
  /** Positions a model needs for every row and every sampled completion. */
  readonly positions: number;
  /** What was counted, truncated and dropped, for people. */
  readonly notes: readonly string[];
}

export interface PrepareOptions {
  readonly tokenizer: Tokenizer;
  readonly random: Random;
  /** Default: none, for tasks. */
  readonly files?: Files;
  /** Most positions of the model, where it exists already. */
  readonly maxPositions?: number | undefined;
  /** Rows per evaluation set. Default: 128. */
  readonly evaluationRows?: number;
}

export type PrepareContext = PrepareOptions &
  Required<Pick<PrepareOptions, "files" | "evaluationRows">>;

/** How one kind of dataset is used; every kind has a file beside this one. */
export interface DatasetKind<D> {
  /** Whether its rows end with an end token. Plain text has no end to learn. */
  readonly hasEnds: boolean;
  /** Source of a character tokenizer: a text, or the alphabet in its order. */
  characters(dataset: D, files: Files): string | { readonly alphabet: string };
  prepare(dataset: D, context: PrepareContext): PreparedData;
}

/** The content of a file that was read before. */
export function fileContent(files: Files, path: string): string {
  const content = files.get(path);
  if (content === undefined) throw new Error(`The file ${path} was not read.`);
  return content;
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

export function withCommas(value: number): string {
  return value.toLocaleString("en-US");
}
