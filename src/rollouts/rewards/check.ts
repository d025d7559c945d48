import { PupilError } from "../../errors/index.js";
import type { ProblemSource } from "../../data/index.js";
import type { RewardNeed } from "./define.js";
import type { RewardCombination, RewardTerm } from "./combine.js";

/** What there is for rewards. */
export interface RewardSupply {
  readonly problems: ProblemSource;
  readonly hasTeacher: boolean;
  /** Whether the sampler says which step went wrong. Undefined: nobody knows before it has sampled. */
  readonly givesKeySteps?: boolean;
  /** Whether the sampler gives completions budgets. Undefined: as above. */
  readonly givesBudgets?: boolean;
  /** Whether something else than rewards is learned from. */
  readonly hasOtherSignal: boolean;
}

/**
 * Refuses rewards that cannot work or cannot teach anything, before a run starts.
 *
 * @throws PupilError naming the reward
 */
export function checkRewards(
  terms: readonly RewardTerm[],
  combination: RewardCombination,
  supply: RewardSupply,
): void {
  checkNeeds(terms, supply);
  if (terms.length === 0 && !supply.hasOtherSignal) {
    throw new PupilError("There are no rewards, and nothing else to learn from.", {
      field: "trainer.rewards",
      remedy: 'Add one, such as { "type": "exact" }, or set trainer.advantage.teacher.',
    });
  }
  if (terms.length > 0 && terms.every(({ weight }) => weight === 0)) {
    throw new PupilError(
      "All rewards have the weight 0, so that no completion is better than another.",
      {
        field: "trainer.rewards",
        remedy: "Give one of them a weight, or make the list empty to learn from a teacher alone.",
      },
    );
  }
  if (combination === "product" && terms.some(({ weight }) => weight !== 1)) {
    throw new PupilError("A product of rewards has no weights.", {
      field: "trainer.rewards",
      remedy: "Leave weight out, or set trainer.combine to sum.",
    });
  }
}

/** All that a reward needs with its options. */
export function needsOfReward({ definition, config }: RewardTerm): readonly RewardNeed[] {
  return [...definition.needs, ...(definition.needsFor?.(config) ?? [])];
}

function checkNeeds(terms: readonly RewardTerm[], supply: RewardSupply): void {
  for (const term of terms) {
    const { definition } = term;
    const needs = needsOfReward(term);
    const refuse = (problem: string, remedy: string) =>
      new PupilError(`The reward ${definition.name} ${problem}`, {
        field: "trainer.rewards",
        remedy,
      });
    if (needs.includes("teacher") && !supply.hasTeacher) {
      throw refuse("asks a teacher, but there is none.", 'Set "teacher".');
    }
    if (needs.includes("checkSteps") && supply.problems.checkSteps === undefined) {
      const problem = `needs judgements of steps, which ${supply.problems.name} does not give.`;
      throw refuse(problem, "Use a task that checks steps.");
    }
    if (needs.includes("keyStep") && supply.givesKeySteps === false) {
      throw refuse(
        "needs to know which step went wrong, which the sampler does not say.",
        "Use a sampler that begins at the first error of a completion.",
      );
    }
    if (needs.includes("budget") && supply.givesBudgets === false) {
      throw refuse(
        "knows no budget of a completion: the sampler sets none.",
        "Set its budget; or pattern or marks, which read it from the prompt; or use the sampler budgeted.",
      );
    }
  }
}
