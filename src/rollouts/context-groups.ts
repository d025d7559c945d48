/** Rows that are sampled together, and how many tokens each of them may get. */
export interface ContextGroup {
  /** Indices into the prompts. */
  readonly rows: readonly number[];
  readonly maxNewTokens: number;
}

/**
 * Splits prompts so that no row's padding takes context from another: the prompts that leave room
 * for `maxNewTokens` go together, the longer ones by length. As the last token is never fed back, a
 * prompt of n tokens has room for `maxPositions − n + 1`.
 */
export function contextGroups(
  promptLengths: readonly number[],
  maxNewTokens: number,
  maxPositions: number,
): ContextGroup[] {
  const groups = new Map<number, number[]>();
  for (const [row, length] of promptLengths.entries()) {
    const room = Math.min(maxNewTokens, maxPositions - length + 1);
    groups.set(room, [...(groups.get(room) ?? []), row]);
  }
  return [...groups].map(([room, rows]) => ({ rows, maxNewTokens: room }));
}
