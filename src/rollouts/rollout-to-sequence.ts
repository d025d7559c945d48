import type { TokenSequence } from "../data/index.js";
import type { Rollout } from "./sample-rollouts.js";

/**
 * A rollout as a training row: only its completion is predicted.
 *
 * @param source the row of the data that the prompt is from; its completion becomes the reference,
 *   and what its writer was shown can be shown to the teacher again
 */
export function rolloutToSequence(
  { promptIds, completionIds }: Pick<Rollout, "promptIds" | "completionIds"> & Partial<Rollout>,
  source?: TokenSequence,
): TokenSequence {
  const own = { ids: [...promptIds, ...completionIds], completionStart: promptIds.length };
  if (source === undefined) return own;
  const { ids, completionStart, shownPrompt, id } = source;
  return {
    ...{ ...own, reference: ids.slice(completionStart) },
    ...(shownPrompt && { shownPrompt }),
    ...(id === undefined ? {} : { id }),
  };
}
