import { bestWorstPairs } from "./best-worst.js";
import { contrastablePairs } from "./contrastable.js";
import { firstErrorPairs } from "./first-error.js";
import { selfCorrectionPairs } from "./self-correction.js";

/** Every maker of pairs. */
export const pairMakers = [
  contrastablePairs,
  bestWorstPairs,
  firstErrorPairs,
  selfCorrectionPairs,
] as const;
