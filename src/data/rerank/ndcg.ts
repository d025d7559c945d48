import { PupilError } from "../../errors/index.js";

/**
 * nDCG@k with linear gain: DCG@k of the given order over that of the best order,
 *
 *     DCG@k = Σ_{i=1..k} grade_i / log2(i + 1)
 *
 * 0 where no passage has a grade above 0, as trec_eval has it. Source: Järvelin & Kekäläinen 2002;
 * trec_eval's `ndcg_cut`.
 *
 * @param grades Grades of the ranked passages, best rank first; ungraded ones count as 0.
 * @param allGrades Grades of all judged passages, for the best order. Default: the ranked ones.
 */
export function ndcgAt(
  k: number,
  grades: readonly number[],
  allGrades: readonly number[] = grades,
): number {
  if (!(Number.isInteger(k) && k > 0)) {
    throw new PupilError(`must be a whole number above 0, got ${k}.`, { field: "k", value: k });
  }
  const best = discountedGain(
    k,
    [...allGrades].sort((a, b) => b - a),
  );
  return best > 0 ? discountedGain(k, grades) / best : 0;
}

function discountedGain(k: number, grades: readonly number[]): number {
  return grades
    .slice(0, k)
    .reduce((sum, grade, i) => sum + Math.max(0, grade) / Math.log2(i + 2), 0);
}
