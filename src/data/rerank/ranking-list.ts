import type { Random } from "../../tensors/index.js";
import type { Tokenizer } from "../types.js";

/** A candidate of a query as a model that scores whole sequences reads it. */
export interface RankingCandidate {
  readonly docid: string;
  readonly text: string;
  /** Query and passage, and the end token where there is one. */
  readonly ids: readonly number[];
  /** Judged relevance; candidates that nobody judged count as 0. */
  readonly grade?: number;
}

/** A query with its candidates, in the order of a first stage or of the data. */
export interface RankingList {
  readonly queryId: string;
  readonly query: string;
  readonly candidates: readonly RankingCandidate[];
}

export interface EncodeCandidateOptions {
  /** Most tokens of the query; absent: all. */
  readonly queryLength?: number | undefined;
  /** Most tokens of the passage; absent: all. */
  readonly passageLength?: number | undefined;
}

/**
 * What a model reads of a candidate: `query`, a line break, `passage` and the end token. The score is
 * read at the last token, which sees both.
 */
export function encodeCandidate(
  tokenizer: Tokenizer,
  query: string,
  passage: string,
  { queryLength, passageLength }: EncodeCandidateOptions = {},
): { readonly ids: readonly number[]; readonly tokensCutOff: number } {
  const first = tokenizer.encode(query);
  const second = tokenizer.encode(passage);
  const kept = [first.slice(0, queryLength), second.slice(0, passageLength)] as const;
  return {
    ids: [
      ...tokenizer.startIds,
      ...kept[0],
      ...tokenizer.encode("\n"),
      ...kept[1],
      ...tokenizer.endIds.slice(0, 1),
    ],
    tokensCutOff: first.length + second.length - kept[0].length - kept[1].length,
  };
}

/**
 * At most `count` candidates of a list, in its order: one with the highest grade, and others at random.
 * So that every list that has a relevant candidate keeps one (DeAR trains on one such and a negative).
 */
export function someCandidates(list: RankingList, count: number, random: Random): RankingList {
  const { candidates } = list;
  if (candidates.length <= count) return list;
  const grades = candidates.map(({ grade = 0 }) => grade);
  const highest = Math.max(...grades);
  const best = random.pick([...grades.keys()].filter((i) => grades[i] === highest));
  const others = [...random.permutation(grades.length)].filter((i) => i !== best);
  const chosen = [best, ...others.slice(0, count - 1)].sort((a, b) => a - b);
  return { ...list, candidates: chosen.map((i) => candidates[i] as RankingCandidate) };
}
