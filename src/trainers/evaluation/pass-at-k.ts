/**
 * The chance that of k completions at least one is right, from n ≥ k completions of which c are, without
 * bias: 1 − C(n − c, k) / C(n, k).
 *
 * @see https://arxiv.org/abs/2107.03374 (section 2.1)
 */
export function passAtK(completions: number, right: number, k: number): number {
  if (completions - right < k) return 1;
  let allWrong = 1;
  for (let i = completions - right + 1; i <= completions; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** An answer that was read from a completion; undefined where it has none. */
export interface GivenAnswer {
  readonly answer: string | undefined;
  readonly correct: boolean;
}

/**
 * Whether the answer that most completions give is right: 1 or 0, and between where several answers are
 * as frequent, as if one of them were drawn. Completions without an answer have no vote; 0 where none
 * has one.
 */
export function majorityIsRight(given: readonly GivenAnswer[]): number {
  const votes = new Map<string, { count: number; correct: boolean }>();
  for (const { answer, correct } of given) {
    if (answer === undefined) continue;
    const { count = 0 } = votes.get(answer) ?? {};
    votes.set(answer, { count: count + 1, correct });
  }
  const most = Math.max(0, ...[...votes.values()].map(({ count }) => count));
  const winners = [...votes.values()].filter(({ count }) => count === most);
  return winners.filter(({ correct }) => correct).length / Math.max(1, winners.length);
}

/** 1, 2, 4, … below n, and n: what is reported of n completions. */
export function reportedK(completions: number): number[] {
  const powers: number[] = [];
  for (let k = 1; k < completions; k *= 2) powers.push(k);
  return [...powers, completions];
}
