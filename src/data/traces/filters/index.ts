import { anyFilter } from "./any.js";
import { comprehensionFilter } from "./comprehension.js";
import { contrastableFilter } from "./contrastable.js";
import { correctFilter } from "./correct.js";
import { dedupeFilter } from "./dedupe.js";
import { diversityFilter } from "./diversity.js";
import { finishedFilter } from "./finished.js";
import { incorrectFilter } from "./incorrect.js";
import { learnabilityFilter } from "./learnability.js";
import { lengthBandFilter } from "./length-band.js";
import { limitFilter } from "./limit.js";
import { majorityWrongFilter } from "./majority-wrong.js";
import { minProbFilter } from "./min-prob.js";
import { solveRateFilter } from "./solve-rate.js";
import { sourceFilter } from "./source.js";

/** Steps that drop traces and change none. */
export const filters = [
  anyFilter,
  correctFilter,
  incorrectFilter,
  finishedFilter,
  contrastableFilter,
  majorityWrongFilter,
  solveRateFilter,
  learnabilityFilter,
  comprehensionFilter,
  minProbFilter,
  lengthBandFilter,
  diversityFilter,
  dedupeFilter,
  sourceFilter,
  limitFilter,
] as const;
