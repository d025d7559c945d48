import { backwardTransform } from "./backward.js";
import { compressTransform } from "./compress.js";
import { difficultyRewriteTransform } from "./difficulty-rewrite.js";
import { explanationTransform } from "./explanation.js";
import { hierarchicalTemplateTransform } from "./hierarchical-template.js";
import { mistakeFeedbackTransform } from "./mistake-feedback.js";
import { multiViewTransform } from "./multi-view.js";
import { skillPruneTransform } from "./skill-prune.js";
import { withAnswerTransform } from "./with-answer.js";
import { withPrefixTransform } from "./with-prefix.js";

/** Steps that rewrite traces. */
export const transforms = [
  compressTransform,
  difficultyRewriteTransform,
  skillPruneTransform,
  mistakeFeedbackTransform,
  backwardTransform,
  multiViewTransform,
  hierarchicalTemplateTransform,
  explanationTransform,
  withAnswerTransform,
  withPrefixTransform,
] as const;
