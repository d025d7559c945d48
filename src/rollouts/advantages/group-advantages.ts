/** How the completions of one problem are compared. */
export interface GroupAdvantageOptions {
  /**
   * What is subtracted from a reward: the mean of its group, the mean of the others in it (RLOO), or
   * nothing. Default: mean.
   */
  readonly baseline?: "mean" | "leave-one-out" | "none";
  /** Whether advantages are divided by the standard deviation of the group plus `stdFloor`. Default: true. */
  readonly divideByStd?: boolean;
  /** δ. Default: 1e-4. */
  readonly stdFloor?: number;
  /** Which rows the mean and the standard deviation are of. Default: all. */
  readonly counted?: readonly boolean[];
}

/** The advantages of all rows, and which groups had nothing to compare. */
export interface GroupAdvantages {
  /** One per row. */
  readonly advantages: readonly number[];
  /** For each row, whether all rewards of its group are equal. */
  readonly isDegenerate: readonly boolean[];
  readonly groups: number;
  readonly degenerateGroups: number;
}

/** Rewards that differ by less are one reward: sums in another order differ by that. */
const equalWithin = 1e-9;

/**
 * Advantages of completions over others of the same problem.
 *
 *     mean           A_i = r_i − mean(r)
 *     leave-one-out  A_i = r_i − mean(r without r_i) = G/(G − 1) · (r_i − mean(r))
 *     none           A_i = r_i
 *
 * and with `divideByStd` A_i / (std(r) + δ), with the standard deviation of the group as it is (over
 * G, as GRPO's; TRL divides by G − 1). A group whose rewards are all equal has no variance: with
 * a baseline its advantages are exactly 0.
 *
 * Rows that are not counted (completions of others, which raise what the student is measured by) get
 * an advantage over those that are; where none of a group is counted, all are.
 *
 * @param rewards one per row
 * @param groups for each row the number of its group, such as its problem
 * @see https://arxiv.org/abs/2402.03300 (GRPO), https://arxiv.org/abs/2402.14740 (RLOO),
 *   https://arxiv.org/abs/2503.20783 (without the standard deviation)
 */
export function groupAdvantages(
  rewards: readonly number[],
  groups: readonly number[],
  options: GroupAdvantageOptions = {},
): GroupAdvantages {
  const members = new Map<number, number[]>();
  for (const [row, group] of groups.entries()) {
    members.set(group, [...(members.get(group) ?? []), row]);
  }
  const advantages = rewards.map(() => 0);
  const isDegenerate = rewards.map(() => false);
  let degenerateGroups = 0;
  for (const rows of members.values()) {
    const own = rows.map((row) => rewards[row] as number);
    const isEqual = Math.max(...own) - Math.min(...own) <= equalWithin;
    if (isEqual) degenerateGroups++;
    const counted = rows.filter((row) => options.counted?.[row] !== false);
    const values = advantagesOf(rows, counted.length > 0 ? counted : rows, rewards, options);
    for (const [i, row] of rows.entries()) {
      isDegenerate[row] = isEqual;
      const hasBaseline = options.baseline !== "none";
      advantages[row] = isEqual && hasBaseline ? 0 : (values[i] as number);
    }
  }
  return { advantages, isDegenerate, groups: members.size, degenerateGroups };
}

function advantagesOf(
  rows: readonly number[],
  counted: readonly number[],
  rewards: readonly number[],
  options: GroupAdvantageOptions,
): number[] {
  const { baseline = "mean", divideByStd = true, stdFloor = 1e-4 } = options;
  const values = counted.map((row) => rewards[row] as number);
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  const scale = divideByStd ? 1 / (Math.sqrt(variance) + stdFloor) : 1;
  const isCounted = new Set(counted);
  return rows.map((row) => {
    const reward = rewards[row] as number;
    if (baseline === "none") return scale * reward;
    if (baseline === "mean" || !isCounted.has(row)) return scale * (reward - mean);
    // Alone in its group it has no others to be compared with.
    if (values.length === 1) return 0;
    return scale * (reward - (sum - reward) / (values.length - 1));
  });
}
