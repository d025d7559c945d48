import type { TokenSequence } from "../data/index.js";
import type { Rollout } from "./sample-rollouts.js";

/** A rollout as a training row: only its completion is predicted. */
export function rolloutToSequence({ promptIds, completionIds }: Rollout): TokenSequence {
  return { ids: [...promptIds, ...completionIds], completionStart: promptIds.length };
}
