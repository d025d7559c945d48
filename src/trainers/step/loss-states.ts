import {
  advanceLossStates,
  initialLossStates,
  type LossState,
  type LossTerm,
  namedLossStates,
  restoredLossStates,
} from "../../losses/index.js";
import type { StepMetrics } from "./metrics.js";
import type { StepContext } from "./step.js";

/** The states of a trainer's losses, from step to step. */
export interface LossStateTracker {
  /** What step `step` (from 0) computes with. */
  contextOf(step: number): StepContext;
  /** To be called once when a step is done, with each term's mean over the whole step. */
  advance(step: number, means: readonly number[]): void;
  metrics(): Pick<StepMetrics, "lossStates">;
}

/**
 * Starts at the losses' initial states, or at those of a checkpoint.
 *
 * @throws PupilError if the checkpoint's do not fit the losses
 */
export function trackLossStates(
  terms: readonly LossTerm[],
  steps: number,
  saved?: Readonly<Record<string, LossState>>,
): LossStateTracker {
  let states = saved === undefined ? initialLossStates(terms) : restoredLossStates(terms, saved);
  return {
    contextOf: (step) => ({ progress: step / Math.max(1, steps - 1), states }),
    advance: (step, means) => {
      states = advanceLossStates(terms, states, means, (step + 1) / steps);
    },
    metrics: () => {
      const named = namedLossStates(terms, states);
      return Object.keys(named).length === 0 ? {} : { lossStates: named };
    },
  };
}
