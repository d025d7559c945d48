export {
  groupAdvantages,
  type GroupAdvantageOptions,
  type GroupAdvantages,
} from "./group-advantages.js";
export { rewardToGo, type RewardToGoOptions, spreadAdvantage } from "./reward-to-go.js";
export { chosenRows, type RowChoice, rowChoices, type RowOutcome } from "./row-choice.js";
export { teacherShift, type TeacherShiftOptions } from "./teacher-shift.js";
export {
  type AdvantageOptions,
  type AdvantageRow,
  advantageSchema,
  type TokenAdvantages,
  tokenAdvantages,
} from "./token-advantages.js";
export { whiten } from "./whiten.js";
