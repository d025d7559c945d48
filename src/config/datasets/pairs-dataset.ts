import {
  type AnswerPair,
  compileChatTemplate,
  type DataFile,
  type PairReport,
  type PairsDataset,
  readPairExamples,
  readPairs,
  shuffledIndices,
  splitRows,
} from "../../data/index.js";
import {
  type DataAccess,
  type DatasetKind,
  distinctCharacters,
  longest,
  type PrepareContext,
  type PreparedData,
  promptOfRow,
  withCommas,
} from "./dataset-kind.js";

/**
 * Prompts with a preferred and a rejected answer, in a new random order every epoch. Other trainers
 * and evaluation see the preferred answers. The pairs are held in memory.
 */
export const pairsDataset: DatasetKind<PairsDataset> = {
  hasEnds: true,
  async characters(dataset, files) {
    const { train, validation = [] } = await openFiles(dataset, files);
    return distinctCharacters(texts([...train, ...validation], dataset));
  },
  prepare,
};

async function openFiles({ path, validationPath }: PairsDataset, files: DataAccess) {
  return {
    train: [await files.open(path)],
    validation: validationPath === undefined ? undefined : [await files.open(validationPath)],
  };
}

/** All text of the pairs; of lists of messages, what their template makes of them. */
async function* texts(files: readonly DataFile[], dataset: PairsDataset): AsyncGenerator<string> {
  let render: Awaited<ReturnType<typeof compileChatTemplate>>["render"] | undefined;
  for await (const { positive, negative } of readPairExamples(files, dataset)) {
    for (const answer of [positive, negative]) {
      if ("messages" in answer) {
        const noTokens = { toConfigJson: () => ({}) };
        render ??= (await compileChatTemplate(noTokens, dataset.chatTemplate)).render;
        yield render(answer);
      } else yield answer.prompt + answer.completion;
    }
  }
}

async function prepare(dataset: PairsDataset, context: PrepareContext): Promise<PreparedData> {
  const { tokenizer, files, random, maxPositions, evaluationRows } = context;
  const modelLimit = maxPositions === undefined ? undefined : maxPositions + 1;
  const options = { ...dataset, maxLength: dataset.maxLength ?? modelLimit };
  const opened = await openFiles(dataset, files);
  const read = await readPairs(opened.train, tokenizer, options);
  const given = opened.validation && (await readPairs(opened.validation, tokenizer, options));
  const cut = given ? read.pairs.length : cutOf(read.pairs, dataset);
  const train = read.pairs.slice(0, cut);
  const validation = given?.pairs ?? read.pairs.slice(cut);
  const at = (step: number, count: number) =>
    shuffledIndices(random, train.length, step * count, count).map((i) => train[i] as AnswerPair);
  const all = [...train, ...validation].flatMap(({ positive, negative }) => [positive, negative]);
  const rows = validation.slice(0, evaluationRows).map(({ positive }) => positive);
  return {
    training: {
      size: train.length,
      rows: (step, count) => at(step, count).map(({ positive }) => positive),
      promptOf: promptOfRow,
    },
    pairs: { pairs: at },
    evaluation: [
      {
        name: "heldOut",
        rows,
        prompts: rows.map(promptOfRow),
        pairs: validation.slice(0, evaluationRows),
      },
    ],
    maxNewTokens: longest(all, ({ ids, completionStart }) => ids.length - completionStart),
    longestPrompt: longest(all, ({ completionStart }) => completionStart),
    positions: longest(all, ({ ids }) => ids.length - 1),
    lengths: () =>
      train.flatMap(({ positive, negative }) => [positive, negative].map(({ ids }) => ids.length)),
    notes: [
      describe(dataset.path, read.report),
      ...(given ? [describe(dataset.validationPath as string, given.report)] : []),
      `${withCommas(train.length)} pairs to train on, ${withCommas(validation.length)} to validate on.`,
    ],
  };
}

function cutOf(pairs: readonly AnswerPair[], { validationFraction, path }: PairsDataset): number {
  return splitRows(pairs.length, validationFraction, path);
}

function describe(source: string, { rows, dropped, equal }: PairReport): string {
  return `${source}: ${withCommas(rows)} rows, ${withCommas(dropped)} dropped as too long, ${withCommas(equal)} with two equal answers.`;
}
