import { calibrationError, kendallTau, ndcgAt, type RankingList } from "../../data/index.js";
import type { SequenceModel } from "../../models/index.js";
import { type ListTeacher, scoreSequences } from "../../teachers/index.js";

/** Depths at which nDCG is reported. */
const depths = [1, 5, 10] as const;

export interface EvaluateRankingOptions {
  readonly padId: number;
  /** Candidates per forward pass. */
  readonly batchSize: number;
  readonly teacher?: ListTeacher | undefined;
}

/**
 * How well scores rank held-out lists, as means over the lists:
 *
 * - `ndcg1`, `ndcg5`, `ndcg10`: linear gain, over the candidates of the list; a list without a grade above 0 is
 *   left out, since no order of it is better than another;
 * - `kendallTau`: τ-b with the grades, over lists that do not tie everything;
 * - `calibrationError`: of softmax(scores) over a list as the probability that a candidate is the one that is
 *   drawn from the relevant ones, in ten bins over all candidates;
 * - `scoreError`: mean absolute difference of score and grade, which only losses on scores themselves make
 *   small: what is unchanged by adding a constant to a list says nothing about it;
 * - with a teacher: `teacherKendallTau` and `teacherListKl`, KL(teacher ‖ student) over the candidates at
 *   temperature 1.
 */
export async function evaluateRanking(
  student: SequenceModel,
  lists: readonly RankingList[],
  { padId, batchSize, teacher }: EvaluateRankingOptions,
): Promise<Record<string, number>> {
  const rows = lists.flatMap(({ candidates }) => candidates.map(({ ids }) => ids));
  const scores = await scoreSequences(student, rows, { padId, batchSize });
  const ofLists = split(scores, lists);
  const metrics = rankingMetrics(lists, ofLists);
  if (teacher === undefined) return metrics;
  const taus: number[] = [];
  const divergences: number[] = [];
  for (const [i, list] of lists.entries()) {
    const wanted = await teacher.scores(list);
    const own = ofLists[i] as readonly number[];
    const tau = kendallTau(own, wanted);
    if (tau !== undefined) taus.push(tau);
    divergences.push(listKlOf(wanted, own));
  }
  return { ...metrics, teacherKendallTau: mean(taus), teacherListKl: mean(divergences) };
}

/** What scores of lists say about their grades; see {@link evaluateRanking}. */
export function rankingMetrics(
  lists: readonly { readonly candidates: readonly { readonly grade?: number | undefined }[] }[],
  scores: readonly (readonly number[])[],
): Record<string, number> {
  const graded = lists.map(({ candidates }, i) => {
    return {
      grades: candidates.map(({ grade = 0 }) => grade),
      scores: scores[i] as readonly number[],
    };
  });
  const useful = graded.filter(({ grades }) => grades.some((grade) => grade > 0));
  const taus = graded
    .map(({ grades, scores: own }) => kendallTau(own, grades))
    .filter((tau) => tau !== undefined);
  const gaps = graded.flatMap(({ grades, scores: own }) =>
    own.map((score, i) => Math.abs(score - (grades[i] as number))),
  );
  const ndcg = depths.map((k) => [
    `ndcg${k}`,
    mean(useful.map(({ grades, scores: own }) => ndcgOf(k, grades, own))),
  ]);
  return {
    ...(Object.fromEntries(ndcg) as Record<string, number>),
    kendallTau: mean(taus),
    calibrationError: calibrationError(
      useful.flatMap(({ scores: own }) => softmax(own)),
      useful.flatMap(({ grades }) => sharesOf(grades)),
    ),
    scoreError: mean(gaps),
  };
}

/** nDCG of the order that scores give; equal scores stay in the order of the list. */
export function ndcgOf(k: number, grades: readonly number[], scores: readonly number[]): number {
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return ndcgAt(
    k,
    order.map((i) => grades[i] as number),
    grades,
  );
}

/** The chance of each candidate to be drawn from the relevant ones. */
function sharesOf(grades: readonly number[]): number[] {
  const relevant = grades.filter((grade) => grade > 0).length;
  return grades.map((grade) => (grade > 0 ? 1 / relevant : 0));
}

function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function listKlOf(teacher: readonly number[], student: readonly number[]): number {
  const q = softmax(student);
  return softmax(teacher).reduce(
    (sum, p, i) => (p === 0 ? sum : sum + p * Math.log(p / (q[i] as number))),
    0,
  );
}

function split(scores: readonly number[], lists: readonly RankingList[]): number[][] {
  let start = 0;
  return lists.map(({ candidates: { length } }) => {
    start += length;
    return scores.slice(start - length, start);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
