import { PupilError } from "../../errors/index.js";
import type { DataFile } from "../readers/data-file.js";
import { type Judgement, readQrels, readRun, readTexts } from "./trec-files.js";

/** A passage to rank for a query. */
export interface RerankCandidate {
  readonly docid: string;
  readonly text: string;
  /** Judged relevance; absent for passages of the run that nobody judged. */
  readonly grade?: number;
  /** Rank and score in the run; absent for judged passages that it does not hold. */
  readonly rank?: number;
  readonly score?: number;
}

export interface RerankList {
  readonly queryId: string;
  readonly query: string;
  /** In the run's order, then the other judged ones in the order of the qrels. */
  readonly candidates: readonly RerankCandidate[];
}

export interface RerankFiles {
  readonly corpus: DataFile;
  readonly queries: DataFile;
  readonly qrels: DataFile;
  readonly run?: DataFile | undefined;
}

export interface RerankReport {
  readonly passages: number;
  readonly queries: number;
  /** Queries that have candidates: the lists. */
  readonly lists: number;
  readonly judgements: number;
  /** How many judgements there are of each grade. */
  readonly grades: Readonly<Record<string, number>>;
  readonly candidates: number;
  readonly unjudgedCandidates: number;
  /** Queries without a candidate; they have no list. */
  readonly queriesWithoutCandidates: number;
  /** Lists without a grade above 0, from which no ranking can be learned. */
  readonly listsWithoutRelevant: number;
}

export interface RerankLists {
  readonly lists: readonly RerankList[];
  readonly report: RerankReport;
}

type Draft = Omit<RerankCandidate, "text"> & { readonly where: string };

/**
 * Queries with their candidates from TREC files. Of the corpus only the passages that are named are
 * kept in memory.
 *
 * @throws PupilError naming file and line for a query or passage that is not there, a pair that
 *   comes twice, or a grade, rank or score that is no number
 */
export async function readRerankLists(files: RerankFiles): Promise<RerankLists> {
  const drafts = new Map<string, Map<string, Draft>>();
  const add = (queryId: string, draft: Draft, isRun: boolean): void => {
    const list = drafts.get(queryId) ?? new Map<string, Draft>();
    drafts.set(queryId, list);
    const before = list.get(draft.docid);
    const isTwice = before !== undefined && (isRun ? before.rank : before.grade) !== undefined;
    if (isTwice) throw twice(queryId, draft, before);
    list.set(draft.docid, { ...before, ...draft });
  };
  const ranked: { queryId: string; draft: Draft }[] = [];
  if (files.run !== undefined) {
    for await (const { queryId, ...draft } of readRun(files.run)) ranked.push({ queryId, draft });
  }
  ranked.sort((a, b) => (a.draft.rank as number) - (b.draft.rank as number));
  for (const { queryId, draft } of ranked) add(queryId, draft, true);
  const grades: Record<string, number> = {};
  let judgements = 0;
  for await (const { queryId, ...draft } of readQrels(files.qrels)) {
    add(queryId, draft, false);
    judgements += 1;
    grades[draft.grade] = (grades[draft.grade] ?? 0) + 1;
  }
  const wanted = new Set([...drafts.values()].flatMap((list) => [...list.keys()]));
  const queries = await readTexts(files.queries);
  const corpus = await readTexts(files.corpus, wanted);
  const lists = [...drafts].map(([queryId, list]): RerankList => {
    const first = list.values().next().value as Draft;
    const query = known(queries.texts, queryId, "query", first, files.queries);
    const candidates = [...list.values()].map(({ where, ...draft }): RerankCandidate => {
      const text = known(corpus.texts, draft.docid, "passage", { where }, files.corpus);
      return { ...draft, text };
    });
    return { queryId, query, candidates };
  });
  return {
    lists,
    report: reportOf(lists, { passages: corpus.count, judgements, grades }, queries),
  };
}

function reportOf(
  lists: readonly RerankList[],
  counts: Pick<RerankReport, "passages" | "judgements" | "grades">,
  queries: { readonly count: number },
): RerankReport {
  const candidates = lists.flatMap((list) => list.candidates);
  const isRelevant = ({ grade = 0 }: RerankCandidate) => grade > 0;
  return {
    ...counts,
    queries: queries.count,
    lists: lists.length,
    candidates: candidates.length,
    unjudgedCandidates: candidates.filter(({ grade }) => grade === undefined).length,
    queriesWithoutCandidates: queries.count - lists.length,
    listsWithoutRelevant: lists.filter((list) => !list.candidates.some(isRelevant)).length,
  };
}

function known(
  texts: ReadonlyMap<string, string>,
  id: string,
  what: string,
  { where }: Pick<Judgement, "where">,
  file: DataFile,
): string {
  const text = texts.get(id);
  if (text !== undefined) return text;
  throw new PupilError(`names the ${what} "${id}", which is not in ${file.name}.`, {
    field: where,
    value: id,
    remedy: "Give the files that belong together, and check the order of the columns.",
  });
}

function twice(queryId: string, draft: Draft, before: Draft): PupilError {
  return new PupilError(
    `has query "${queryId}" with passage "${draft.docid}" a second time (first: ${before.where}).`,
    { field: draft.where, value: draft.docid, remedy: "Every pair may stand there once." },
  );
}
