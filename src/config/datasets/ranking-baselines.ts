import { bm25, type RerankList } from "../../data/index.js";
import { rankingMetrics } from "../../trainers/index.js";
import { withCommas } from "./dataset-kind.js";

type List = Pick<RerankList, "query"> & {
  readonly candidates: readonly Pick<
    RerankList["candidates"][number],
    "docid" | "text" | "grade"
  >[];
};

/**
 * What is there to beat on lists: the order of a first stage, where there is one, and BM25 by the words that
 * query and passage share, over the passages of all lists.
 */
export function rankingBaselines(
  heldOut: readonly List[],
  all: readonly List[],
  { hasRun }: { readonly hasRun: boolean },
): string[] {
  const passages = new Map<string, string>();
  for (const { candidates } of all)
    for (const { docid, text } of candidates) passages.set(docid, text);
  const ids = [...passages.keys()];
  const scoresOf = bm25([...passages.values()]);
  const place = new Map(ids.map((id, i) => [id, i]));
  const byWords = heldOut.map(({ query, candidates }) => {
    const ofAll = scoresOf(query);
    return candidates.map(({ docid }) => ofAll[place.get(docid) as number] as number);
  });
  const asGiven = heldOut.map(({ candidates }) => candidates.map((_, i) => -i));
  return [
    ...(hasRun ? [describe("the order of the run", heldOut, asGiven)] : []),
    describe(`BM25 over all ${withCommas(ids.length)} passages`, heldOut, byWords),
  ];
}

function describe(what: string, lists: readonly List[], scores: readonly number[][]): string {
  const metrics = rankingMetrics(lists, scores);
  const figures = ["ndcg1", "ndcg5", "ndcg10"].map((name) => (metrics[name] ?? 0).toFixed(4));
  return `Baseline: ${what} has nDCG@1/5/10 of ${figures.join(" / ")} on the lists to validate on.`;
}
