export { AdamW, adamwSchema, type AdamWOptions, type AdamWState } from "./adamw.js";
export { clipScale } from "./clip.js";
export {
  completeSchedule,
  defaultSchedule,
  learningRateAt,
  scheduleSchema,
  type Schedule,
} from "./schedule.js";
