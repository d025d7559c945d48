import type { Random } from "../../tensors/index.js";

/** What is known of an answer to a problem. */
export interface Answered {
  readonly correct: boolean;
  readonly answer: string | undefined;
}

/**
 * The first trace with the commonest wrong answer; where no answer is commoner than the others, any
 * wrong trace at random. Undefined where nothing is wrong. A trace without an answer counts as one of
 * its own.
 */
export function majorityWrong<T extends Answered>(
  traces: readonly T[],
  random: Random,
): T | undefined {
  const wrong = traces.filter(({ correct }) => !correct);
  if (wrong.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const { answer } of wrong) {
    if (answer !== undefined) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a);
  const isMajority = first !== undefined && first[1] > Math.max(1, second?.[1] ?? 0);
  if (!isMajority && wrong.length > 1) return random.pick(wrong);
  return isMajority ? wrong.find(({ answer }) => answer === first[0]) : wrong[0];
}

/** The parts of a completion around its final answer; undefined where the answer does not stand in it. */
export function splitAnswer(
  completion: string,
  answer: string,
): { readonly reasoning: string; readonly answer: string } | undefined {
  const at = answer === "" ? -1 : completion.lastIndexOf(answer);
  return at < 0 ? undefined : { reasoning: completion.slice(0, at), answer };
}

/** Items by the problem that they belong to, in the order in which the problems occur. */
export function byProblem<T extends { readonly problem: { readonly id: string } }>(
  items: readonly T[],
): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.problem.id);
    if (group === undefined) groups.set(item.problem.id, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Some of the items, each at most once, in their order. */
export function drawSome<T>(items: readonly T[], count: number, random: Random): T[] {
  const chosen = new Set(random.permutation(items.length).slice(0, count));
  return items.filter((_, i) => chosen.has(i));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
