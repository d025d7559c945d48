import { rewardToGo, type RewardToGoOptions } from "./reward-to-go.js";

export interface TeacherShiftOptions extends RewardToGoOptions {
  /** Log-ratios count as at most this far from 0; null does not limit them. */
  readonly limit: number | null;
}

/**
 * What the teacher thinks of sampled tokens more than the student did, as an advantage of each:
 * sampled reverse KL as a policy gradient.
 *
 *     r_t = log T(y_t) − log S_old(y_t),   A_t = rewardToGo(r)_t
 *
 * Its expected gradient at γ = 0 is minus that of KL(student ‖ teacher) at every position. A token
 * that the student did not write has no S_old: r_t is 0 there.
 *
 * @param teacherLogProbs of the tokens of one completion
 * @param oldLogProbs of the same tokens under the policy that wrote them
 * @param own 1 where the student wrote the token
 * @see KDRL, https://arxiv.org/abs/2506.02208; https://arxiv.org/abs/2306.08543
 */
export function teacherShift(
  teacherLogProbs: readonly number[],
  oldLogProbs: readonly number[],
  own: readonly number[],
  { limit, ...options }: TeacherShiftOptions,
): number[] {
  const most = limit ?? Number.POSITIVE_INFINITY;
  const ratios = oldLogProbs.map((old, t) => {
    if (own[t] !== 1) return 0;
    return Math.min(most, Math.max(-most, (teacherLogProbs[t] as number) - old));
  });
  const returns = rewardToGo(ratios, options);
  return returns.map((value, t) => (own[t] === 1 ? value : 0));
}
