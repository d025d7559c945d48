import {
  bucketedIndices,
  compileChatTemplate,
  type DataFile,
  type ExampleOptions,
  type FileDataset,
  type NamedExample,
  readExamples,
  type RowSource,
  type RowStore,
  shuffledIndices,
  splitRows,
  storeRows,
  type StoreRowsOptions,
  type StoredRows,
  type Tokenizer,
} from "../../data/index.js";
import type { Random } from "../../tensors/index.js";
import type { EvaluationSet } from "../../trainers/index.js";
import {
  type DataAccess,
  type DatasetKind,
  type DataReport,
  distinctCharacters,
  type PrepareContext,
  type PreparedData,
  promptOfRow,
  withCommas,
} from "./dataset-kind.js";
import { problemsOfRows, type RowProblems } from "./row-problems.js";

/** The options that all kinds of row files share. */
type RowOptions = Omit<
  FileDataset,
  | "type"
  | "path"
  | "format"
  | "split"
  | "validationPath"
  | "validationSplit"
  | "rowsField"
  | "columns"
  | "delimiter"
>;

/** The files of a dataset and how to read them. */
export interface RowFiles {
  readonly train: readonly DataFile[];
  /** Default: the end of `train`. */
  readonly validation?: readonly DataFile[] | undefined;
  /** Names of the two in notes. */
  readonly source: string;
  readonly validationSource?: string;
  readonly reading?: Pick<ExampleOptions, "format" | "rowsField" | "columns" | "delimiter">;
}

/** A kind of dataset that reads rows from files, in a new random order every epoch. */
export function rowsDataset<D extends RowOptions>(
  open: (dataset: D, files: DataAccess) => Promise<RowFiles>,
): DatasetKind<D> {
  return {
    hasEnds: true,
    async characters(dataset, files) {
      const { train, validation = [], reading } = await open(dataset, files);
      return distinctCharacters(textsOf([...train, ...validation], { ...dataset, ...reading }));
    },
    async prepare(dataset, context) {
      return prepare(dataset, await open(dataset, context.files), context);
    },
  };
}

/** All text of the rows; of chats, what their template makes of them. */
async function* textsOf(
  files: readonly DataFile[],
  options: ExampleOptions & { readonly chatTemplate?: string | undefined },
): AsyncGenerator<string> {
  let render: Awaited<ReturnType<typeof compileChatTemplate>>["render"] | undefined;
  for await (const { example } of readExamples(files, options)) {
    if ("messages" in example) {
      const noTokens = { toConfigJson: () => ({}) };
      render ??= (await compileChatTemplate(noTokens, options.chatTemplate)).render;
      yield render(example, example.isPrompt);
    } else yield example.prompt + (example.completion ?? "") + (example.shownPrompt ?? "");
  }
}

async function prepare(
  dataset: RowOptions,
  { train, validation, source, validationSource = source, reading }: RowFiles,
  context: PrepareContext,
): Promise<PreparedData> {
  const { tokenizer, files, random, maxPositions, evaluationRows, own } = context;
  const { verifier, budget } = dataset;
  // A row's inputs are its ids but the last.
  const modelLimit = maxPositions === undefined ? undefined : maxPositions + 1;
  const options: StoreRowsOptions = {
    ...dataset,
    ...reading,
    maxLength: dataset.maxLength ?? modelLimit,
    createSpillFile: files.createSpillFile?.bind(files),
  };
  const owned: (StoredRows & { readonly kept: readonly NamedExample[] })[] = [];
  const dispose = () => {
    for (const { store } of owned) store.dispose();
  };
  const load = async (list: readonly DataFile[]) => {
    const kept: NamedExample[] = [];
    const onKept = verifier && ((row: NamedExample) => kept.push(row));
    const stored = { ...(await storeRows(list, tokenizer, { ...options, onKept })), kept };
    owned.push(stored);
    return stored;
  };
  try {
    const trained = await load(train);
    const parts =
      validation === undefined
        ? split(trained.store, dataset.validationFraction, source)
        : { train: trained.store, validation: (await load(validation)).store };
    const report: DataReport = {
      trainingRows: parts.train.length,
      validationRows: parts.validation.length,
      sources: owned.map((stored, i) => ({
        source: i === 0 ? source : validationSource,
        ...stored.report,
      })),
    };
    const most = (key: "longestKept" | "longestPrompt") =>
      Math.max(1, ...owned.map((stored) => stored.report[key]));
    const { lengthBuckets } = dataset;
    // An end token alone is no completion.
    const longestCompletion = Math.max(...owned.map((stored) => stored.report.longestCompletion));
    const hasCompletions = longestCompletion > Math.min(1, tokenizer.endIds.length);
    const rows = owned.flatMap(({ kept }) => kept);
    const asked =
      verifier &&
      problemsOfRows(rows, parts.train.length, {
        name: source,
        verifier,
        own: own.verifiers,
        random,
      });
    const heldOut = await evaluationSet(parts.validation, evaluationRows, tokenizer, {
      budget,
      judge: asked?.judge,
    });
    return {
      training: {
        size: parts.train.length,
        rows: (step, count) =>
          parts.train.rows(indicesOf(parts.train, random, step, count, lengthBuckets)),
        promptOf: promptOfRow,
      },
      ...(asked?.problems && { problems: asked.problems }),
      promptsOnly: owned.every((stored) => stored.report.completionTokens === 0),
      evaluation: [{ ...heldOut, ...askedIn(asked, heldOut.prompts.length) }],
      maxNewTokens: hasCompletions ? longestCompletion : usualNewTokens,
      longestPrompt: most("longestPrompt"),
      positions: Math.max(1, most("longestKept") - 1),
      notes: [
        ...report.sources.map(describeSource),
        `${withCommas(report.trainingRows)} rows to train on, ${withCommas(report.validationRows)} to validate on.`,
        ...(hasCompletions ? [] : [promptsOnlyNote]),
        ...(asked?.notes ?? []),
      ],
      report,
      lengths: () => Array.from({ length: parts.train.length }, (_, i) => parts.train.lengthOf(i)),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The problems of the first `count` validation rows, where they are such. */
function askedIn(asked: RowProblems | undefined, count: number): Pick<EvaluationSet, "asked"> {
  const { problems, heldOut } = asked ?? {};
  if (problems === undefined || heldOut === undefined) return {};
  return { asked: { source: problems.source, problems: heldOut.slice(0, count) } };
}

function split(store: RowStore, validationFraction: number, source: string) {
  const cut = splitRows(store.length, validationFraction, source);
  return { train: store.slice(0, cut), validation: store.slice(cut) };
}

/** Longest completion to sample where the data has none to take it from. */
const usualNewTokens = 64;
const promptsOnlyNote =
  `The rows have prompts only: completions that are sampled have at most ${usualNewTokens} tokens, ` +
  "where maxNewTokens does not say otherwise.";

/** Batches that are sorted together when `lengthBuckets` is true. */
const usualBlock = 50;

function indicesOf(
  { length: size, ...source }: Pick<RowSource, "length" | "lengthOf">,
  random: Random,
  step: number,
  batchSize: number,
  lengthBuckets: boolean | number,
): number[] {
  if (lengthBuckets === false) return shuffledIndices(random, size, step * batchSize, batchSize);
  const blockSize = lengthBuckets === true ? usualBlock : lengthBuckets;
  return bucketedIndices(random, source.lengthOf, { size, step, batchSize, blockSize });
}

async function evaluationSet(
  source: RowSource,
  count: number,
  tokenizer: Tokenizer,
  { budget, judge }: { budget: number | undefined; judge: RowProblems["judge"] | undefined },
): Promise<EvaluationSet> {
  const indices = Array.from({ length: Math.min(count, source.length) }, (_, i) => i);
  const rows = await source.rows(indices);
  const answers = rows.map(({ answer }) => answer);
  const set: EvaluationSet = {
    ...{ name: "heldOut", rows, prompts: rows.map(promptOfRow) },
    ...(budget === undefined ? {} : { budget }),
  };
  if (judge) return { ...set, verify: (index, ids) => judge(index, tokenizer.decode(ids)) };
  if (answers.some((answer) => answer === undefined)) return set;
  const verify = (index: number, ids: readonly number[]) =>
    endsWithAnswer(tokenizer.decode(ids), answers[index] as string);
  return { ...set, verify };
}

/** Whether a completion, without white space around it, ends in the answer. */
function endsWithAnswer(completion: string, answer: string): boolean {
  return completion.trim().endsWith(answer.trim());
}

function describeSource(report: DataReport["sources"][number]): string {
  const { source, rows, kept, truncated, dropped, empty, duplicates } = report;
  const { tokens, completionTokens, tokensCutOff, unknownTokens = 0 } = report;
  const unknown =
    unknownTokens === 0
      ? ""
      : ` ${withCommas(unknownTokens)} tokens stand for text outside of the vocabulary.`;
  return (
    `${source}: ${withCommas(rows)} rows, ${withCommas(kept)} kept with ${withCommas(tokens)} tokens ` +
    `(${withCommas(completionTokens)} learned), ${withCommas(truncated)} truncated ` +
    `(${withCommas(tokensCutOff)} tokens cut off), ${withCommas(dropped)} dropped, ` +
    `${withCommas(empty)} empty, ${withCommas(duplicates)} duplicates.${unknown}`
  );
}
