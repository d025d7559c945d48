import type { LossTerm } from "./combine.js";
import type { LossState } from "./define.js";

/** The state of every term, in their order; undefined for losses without one. */
export type LossStates = readonly (LossState | undefined)[];

/** The states before the first optimizer step. */
export function initialLossStates(terms: readonly LossTerm[]): LossStates {
  return terms.map(({ definition, config }) => definition.state?.initial(config));
}

/**
 * The states for the next optimizer step. Pure; to be called once per optimizer step, however many
 * micro-batches it had.
 *
 * @param means each term's mean over the step, before its weight
 * @param progress share of all optimizer steps that are done, this one included
 */
export function advanceLossStates(
  terms: readonly LossTerm[],
  states: LossStates,
  means: readonly number[],
  progress: number,
): LossStates {
  return terms.map(({ definition, config }, i) => {
    const state = states[i];
    if (definition.state === undefined || state === undefined) return undefined;
    return definition.state.advance(state, { loss: means[i] as number, progress }, config);
  });
}
