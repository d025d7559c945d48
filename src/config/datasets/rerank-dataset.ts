import {
  encodeCandidate,
  type EncodeCandidateOptions,
  readRerankLists,
  type RankingList,
  type RerankDataset,
  type RerankList,
  shuffledIndices,
  splitRows,
  type Tokenizer,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import {
  type DataAccess,
  type DatasetKind,
  type ListsToRank,
  type PrepareContext,
  type PreparedData,
  withCommas,
} from "./dataset-kind.js";
import { rankingBaselines } from "./ranking-baselines.js";

/** Queries with candidates to rank, for the trainer `rank`. */
export const rerankDataset: DatasetKind<RerankDataset> = {
  hasEnds: true,
  async characters(dataset, files) {
    const { lists } = await readLists(dataset, files);
    const texts = lists.flatMap(({ query, candidates }) => [
      query,
      ...candidates.map((c) => c.text),
    ]);
    return `${texts.join("")}\n`;
  },
  prepare,
  readLists: readWithBaselines,
};

async function readLists(dataset: RerankDataset, files: DataAccess) {
  const { corpus, queries, qrels, run } = dataset;
  return readRerankLists({
    corpus: await files.open(corpus),
    queries: await files.open(queries),
    qrels: await files.open(qrels),
    run: run === undefined ? undefined : await files.open(run),
  });
}

async function readWithBaselines(dataset: RerankDataset, files: DataAccess): Promise<ListsToRank> {
  const { lists, report } = await readLists(dataset, files);
  const heldOut = lists.slice(trainingLists(dataset, lists));
  const baselines = rankingBaselines(heldOut, lists, { hasRun: dataset.run !== undefined });
  return { lists, report, baselines };
}

/** How many lists are trained on. */
function trainingLists(
  { validationFraction, queries }: RerankDataset,
  { length }: readonly unknown[],
): number {
  return validationFraction === 1 ? 0 : splitRows(length, validationFraction, queries);
}

/** A list as a model with a head for sequences reads it. */
export function encodeList(
  tokenizer: Tokenizer,
  { queryId, query, candidates }: RerankList,
  lengths: EncodeCandidateOptions = {},
): RankingList {
  return {
    queryId,
    query,
    candidates: candidates.map(({ docid, text, grade }) => ({
      docid,
      text,
      ids: encodeCandidate(tokenizer, query, text, lengths).ids,
      ...(grade === undefined ? {} : { grade }),
    })),
  };
}

async function prepare(dataset: RerankDataset, context: PrepareContext): Promise<PreparedData> {
  const { tokenizer, files, random, evaluationRows } = context;
  const { queryLength, passageLength, validationFraction, queries: source } = dataset;
  const { lists: read, report } = await readLists(dataset, files);
  const lists = read.map((list) => encodeList(tokenizer, list, { queryLength, passageLength }));
  const cut = trainingLists(dataset, lists);
  const train = lists.slice(0, cut);
  const validation = lists.slice(cut);
  const heldOut = validation.slice(0, evaluationRows);
  const lengths = lists.flatMap(({ candidates }) => candidates.map(({ ids }) => ids.length));
  const whole = read.flatMap((list) => encodeList(tokenizer, list).candidates);
  const cutOff = whole.filter(({ ids }, i) => ids.length > (lengths[i] as number)).length;
  return {
    training: {
      rows: () => {
        throw new PupilError("The data is lists to rank, which this trainer does not learn from.", {
          field: "data.type",
          value: "rerank",
          remedy: 'Use the "rank" trainer.',
        });
      },
      promptOf: () => [],
    },
    ranking: {
      size: train.length,
      lists: (step, count) => {
        if (train.length === 0) {
          throw new PupilError("leaves no list to train on.", {
            field: "data.validationFraction",
            value: validationFraction,
            remedy: "Lower it, or use pupil evaluate.",
          });
        }
        return shuffledIndices(random, train.length, step * count, count).map(
          (i) => train[i] as RankingList,
        );
      },
    },
    evaluation: [{ name: "heldOut", rows: [], prompts: [], lists: heldOut }],
    maxNewTokens: 1,
    longestPrompt: 1,
    positions: lengths.reduce((most, length) => Math.max(most, length), 1),
    lengths: () => train.flatMap(({ candidates }) => candidates.map(({ ids }) => ids.length)),
    notes: [
      `${source}: ${withCommas(report.lists)} lists with ${withCommas(report.candidates)} candidates ` +
        `(${withCommas(report.unjudgedCandidates)} unjudged, which count as grade 0), ` +
        `${withCommas(cutOff)} of them cut off at ${queryLength} tokens of the query or ${passageLength} of the passage, ` +
        `${withCommas(report.listsWithoutRelevant)} lists without a relevant one.`,
      `${withCommas(train.length)} lists to train on, ${withCommas(validation.length)} to validate on.`,
      ...rankingBaselines(heldOut, lists, { hasRun: dataset.run !== undefined }),
    ],
  };
}
