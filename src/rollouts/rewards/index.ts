export { budgetFidelity, budgetProductReward } from "./budget-product.js";
export { checkRewards, needsOfReward, type RewardSupply } from "./check.js";
export {
  combinationSchema,
  combineRewards,
  evaluateRewards,
  rewardLabels,
  rewardTerm,
  rewardTermFromConfig,
  type RewardCombination,
  type RewardTerm,
  type RowReward,
} from "./combine.js";
export {
  defineReward,
  type LikelihoodQuestion,
  type RewardContext,
  type RewardDefinition,
  type RewardNeed,
  rewardNeeds,
  type RewardRow,
} from "./define.js";
export { exactReward } from "./exact.js";
export { formatReward } from "./format.js";
export { keyStepReward } from "./key-step.js";
export { lengthReward, lengthShape } from "./length.js";
export { likelihoodReward } from "./likelihood.js";
export {
  findReward,
  rewardDefinitions,
  rewardTermSchema,
  rewardTermSchemaWith,
  type RewardTermConfig,
} from "./list.js";
