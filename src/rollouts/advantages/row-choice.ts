/** Which completions something is for, by how they and the others of their problem turned out. */
export const rowChoices = ["all", "failing", "succeeding", "failing-groups"] as const;
export type RowChoice = (typeof rowChoices)[number];

/** How a completion turned out. */
export interface RowOutcome {
  readonly correct: boolean;
  /** Number of its group, such as its problem. */
  readonly group: number;
}

/**
 * For each row, whether the choice has it: `failing` has the completions with a wrong answer (VOLD,
 * KDRL's response-level mask), `failing-groups` those of problems that no completion is right about
 * (KDRL's group-level mask).
 */
export function chosenRows(choice: RowChoice, outcomes: readonly RowOutcome[]): boolean[] {
  const solved = new Set(outcomes.filter(({ correct }) => correct).map(({ group }) => group));
  return outcomes.map(({ correct, group }) => {
    switch (choice) {
      case "all":
        return true;
      case "failing":
        return !correct;
      case "succeeding":
        return correct;
      case "failing-groups":
        return !solved.has(group);
    }
  });
}
