import { bestWorstPairs } from "./best-worst.js";
import { contrastablePairs } from "./contrastable.js";

/** Every maker of pairs. */
export const pairMakers = [contrastablePairs, bestWorstPairs] as const;
