export { AdamW, adamwSchema, type AdamWOptions, type AdamWState } from "./adamw.js";
export { clipScale } from "../ops/index.js";
export {
  completeSchedule,
  defaultSchedule,
  learningRateAt,
  scheduleSchema,
  type Schedule,
} from "./schedule.js";
