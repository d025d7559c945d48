import type { RunConfig } from "../../../config/index.js";
import { type LossDefinition, lossTermFromConfig } from "../../../losses/index.js";
import type { StepTerm } from "../../../trainers/index.js";

type TermConfig = RunConfig["trainer"]["loss"][number];

/** The term that a trainer's config describes, with what only some trainers let it choose. */
export function stepTermFromConfig(config: TermConfig, own: readonly LossDefinition[]): StepTerm {
  const { against, rows, ...term } = config as TermConfig & Pick<StepTerm, "against" | "rows">;
  return {
    ...lossTermFromConfig(term as TermConfig, own),
    ...(against === undefined ? {} : { against }),
    ...(rows === undefined ? {} : { rows }),
  };
}
