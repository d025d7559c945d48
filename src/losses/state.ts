import { PupilError } from "../errors/index.js";
import { type LossTerm, termLabels } from "./combine.js";
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

/** The states by the labels of their terms, for logs and checkpoints; only of losses with one. */
export function namedLossStates(
  terms: readonly LossTerm[],
  states: LossStates,
): Readonly<Record<string, LossState>> {
  const entries = termLabels(terms).map((label, i) => [label, states[i]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, LossState] => entry[1] !== undefined),
  );
}

/**
 * The states that {@link namedLossStates} named, for a run that goes on.
 *
 * @throws PupilError if one is missing or has other fields than the loss's own
 */
export function restoredLossStates(
  terms: readonly LossTerm[],
  named: Readonly<Record<string, LossState>>,
): LossStates {
  const labels = termLabels(terms);
  return initialLossStates(terms).map((initial, i) => {
    if (initial === undefined) return undefined;
    const label = labels[i] as string;
    const saved = named[label];
    const fields = Object.keys(initial);
    const isNumber = (value: unknown) => value === null || typeof value === "number";
    if (saved === undefined || !fields.every((field) => isNumber(saved[field]))) {
      throw new PupilError(`has no state of the loss ${label} (${fields.join(", ")}).`, {
        field: "the checkpoint",
        remedy: "Resume from a checkpoint of a run with the same losses.",
      });
    }
    return saved;
  });
}
